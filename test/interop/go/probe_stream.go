package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pithecene-io/lode/lode"
)

func openBlobs(store lode.Store) (lode.Dataset, error) {
	return lode.NewDataset("d", func() (lode.Store, error) { return store, nil })
}

// 11.4: each call after each ending.
func probeStreamStates(p *prober) error {
	calls := []struct {
		name string
		run  func(lode.StreamWriter) error
	}{
		{"write", func(w lode.StreamWriter) error { _, err := w.Write([]byte("x")); return err }},
		{"commit", func(w lode.StreamWriter) error { _, err := w.Commit(p.ctx); return err }},
		{"abort", func(w lode.StreamWriter) error { return w.Abort(p.ctx) }},
		{"close", func(w lode.StreamWriter) error { return w.Close() }},
	}
	endings := []struct {
		name string
		end  func(store *hookedStore, w lode.StreamWriter)
	}{
		{"a commit", func(_ *hookedStore, w lode.StreamWriter) { _, _ = w.Commit(p.ctx) }},
		{"a failed commit", func(store *hookedStore, w lode.StreamWriter) {
			store.beforeCAS = func(string, string, string) error { return errors.New("refused") }
			_, _ = w.Commit(p.ctx)
			store.beforeCAS = nil
		}},
		{"an abort", func(_ *hookedStore, w lode.StreamWriter) { _ = w.Abort(p.ctx) }},
		{"a close", func(_ *hookedStore, w lode.StreamWriter) { _ = w.Close() }},
	}
	for _, ending := range endings {
		for _, call := range calls {
			store := &hookedStore{Store: lode.NewMemory()}
			dataset, err := openBlobs(store)
			if err != nil {
				return err
			}
			stream, err := dataset.StreamWrite(p.ctx, nil)
			if err != nil {
				return err
			}
			if _, err := stream.Write([]byte("content")); err != nil {
				return err
			}
			ending.end(store, stream)
			err, ended := within(time.Second, func() error { return call.run(stream) })
			listed, _ := store.List(p.ctx, "")
			p.say("%s after %s: %s (returned: %t), %d objects", call.name, ending.name, said(err), ended, len(listed))
		}
	}
	return nil
}

// Section 20, item 5: the context given to the stream is cancelled half way, many times over.
func probeStreamCancel(p *prober) error {
	for _, name := range []string{"fs", "memory"} {
		outcomes := map[string]int{}
		for range 100 {
			stores, _, err := p.bothStores()
			if err != nil {
				return err
			}
			store := stores[name]
			dataset, err := openBlobs(store)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(p.ctx)
			defer cancel()
			stream, err := dataset.StreamWrite(ctx, nil)
			if err != nil {
				return err
			}
			if _, err := stream.Write([]byte("first half ")); err != nil {
				return err
			}
			cancel()
			_, writeErr := stream.Write([]byte("second half"))
			_, commitErr := stream.Commit(ctx)
			listed, err := store.List(p.ctx, "")
			if err != nil {
				return err
			}
			kinds := []string{}
			for _, key := range listed {
				kinds = append(kinds, key[strings.LastIndex(key, "/")+1:])
				_ = store.Delete(p.ctx, key)
			}
			outcomes["write after cancel "+said(writeErr)+"; commit "+said(commitErr)+"; left: "+strings.Join(slices.Sorted(slices.Values(kinds)), " ")]++
		}
		for outcome, n := range outcomes {
			p.say("%s, %d of 100: %s", name, n, outcome)
		}
	}
	return p.recordsCancel()
}

func (p *prober) recordsCancel() error {
	store, err := p.fs()
	if err != nil {
		return err
	}
	dataset, err := open(store)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(p.ctx)
	iterator := &cancellingIterator{sliceIterator: sliceIterator{records: append(one(1), one(2)...)}, cancel: cancel}
	snapshot, err := dataset.StreamWriteRecords(ctx, iterator, nil)
	rows := int64(-1)
	if snapshot != nil {
		rows = snapshot.Manifest.RowCount
	}
	p.say("fs, streamWriteRecords cancelled between two records: %s, row_count %d", said(err), rows)
	cancelled, cancel2 := context.WithCancel(p.ctx)
	cancel2()
	_, err = dataset.Write(cancelled, one(3), nil)
	_, latestErr := dataset.Latest(cancelled)
	p.say("fs, write with a cancelled context: %s; latest: %s", said(err), said(latestErr))
	return nil
}

type cancellingIterator struct {
	sliceIterator
	cancel func()
}

func (it *cancellingIterator) Next() bool {
	if it.next == 1 {
		it.cancel()
	}
	return it.sliceIterator.Next()
}

// E-11: the store gives up at once; who reads the pipe?
func probeStreamStuck(p *prober) error {
	store := &hookedStore{Store: lode.NewMemory(), beforePut: func(string) error { return errors.New("disk full") }}
	blobs, err := openBlobs(store)
	if err != nil {
		return err
	}
	stream, err := blobs.StreamWrite(p.ctx, nil)
	if err != nil {
		return err
	}
	err, ended := within(300*time.Millisecond, func() error { _, err := stream.Write([]byte("x")); return err })
	p.say("put fails at once; write to the stream ended within 300 ms: %t, %s", ended, said(err))
	abortErr, aborted := within(300*time.Millisecond, func() error { return stream.Abort(p.ctx) })
	p.say("abort from elsewhere ended: %t, %s", aborted, said(abortErr))
	records, err := open(store)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(p.ctx, 100*time.Millisecond)
	defer cancel()
	err, ended = within(500*time.Millisecond, func() error {
		_, err := records.StreamWriteRecords(limited, &sliceIterator{records: one(1)}, nil)
		return err
	})
	p.say("streamWriteRecords on the same store, deadline 100 ms, ended within 500 ms: %t, %s", ended, said(err))
	return nil
}
