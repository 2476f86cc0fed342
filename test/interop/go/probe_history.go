package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pithecene-io/lode/lode"
)

func isManifest(key string) bool { return strings.HasSuffix(key, "/manifest.json") }

// E-1: what a write of no records does to the readers.
func probeEmptyWrite(p *prober) error {
	layouts := map[string][]lode.Option{"default": nil, "flat": {lode.WithLayout(lode.NewFlatLayout())}, "hive": {lode.WithHiveLayout("n")}}
	for _, layout := range []string{"default", "flat", "hive"} {
		store := lode.NewMemory()
		dataset, err := open(store, layouts[layout]...)
		if err != nil {
			return err
		}
		if _, err := dataset.Write(p.ctx, one(1), nil); err != nil {
			return err
		}
		empty, err := dataset.Write(p.ctx, nil, nil)
		if err != nil {
			return err
		}
		reader, err := lode.NewDatasetReader(func() (lode.Store, error) { return store, nil }, layouts[layout]...)
		if err != nil {
			return err
		}
		records, readErr := dataset.Read(p.ctx, empty.ID)
		refs, manifestsErr := reader.ListManifests(p.ctx, "d", "", lode.ManifestListOptions{})
		partitions, partitionsErr := reader.ListPartitions(p.ctx, "d", lode.PartitionListOptions{})
		_, manifestErr := reader.GetManifest(p.ctx, "d", lode.ManifestRef{ID: empty.ID})
		p.say("%s: read %d records, %s; listManifests %d, %s; listPartitions %d, %s; getManifest %s", layout, len(records), said(readErr), len(refs), said(manifestsErr),
			len(partitions), said(partitionsErr), said(manifestErr))
	}
	return nil
}

// paused opens two instances on one directory; the first stands still just before its manifest is put, until release.
func (p *prober) paused(options ...lode.Option) (a, b lode.Dataset, reached, release chan struct{}, err error) {
	slow, err := p.fs()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	plain, err := p.fs()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	reached, release = make(chan struct{}), make(chan struct{})
	var once sync.Once
	armed := false
	slow.beforePut = func(key string) error {
		if isManifest(key) && armed {
			once.Do(func() { close(reached); <-release })
		}
		return nil
	}
	if a, err = open(slow); err == nil {
		b, err = open(plain, options...)
	}
	if err == nil {
		_, err = a.Write(p.ctx, one(0), lode.Metadata{"by": "first"})
	}
	armed = true
	return a, b, reached, release, err
}

type writeResult struct {
	snapshot *lode.DatasetSnapshot
	err      error
}

func writeAside(ctx context.Context, dataset lode.Dataset, by string) chan writeResult {
	done := make(chan writeResult, 1)
	go func() {
		snapshot, err := dataset.Write(ctx, one(1), lode.Metadata{"by": by})
		done <- writeResult{snapshot, err}
	}()
	return done
}

// chain names the writers from the head back to the root, and how many manifests there are in all.
func (p *prober) chain(dataset lode.Dataset) (string, error) {
	all, err := dataset.Snapshots(p.ctx)
	if err != nil {
		return "", err
	}
	byID := map[lode.DatasetSnapshotID]*lode.DatasetSnapshot{}
	for _, snapshot := range all {
		byID[snapshot.ID] = snapshot
	}
	pointer, err := os.ReadFile(filepath.Join(p.root, "datasets/d/latest"))
	if err != nil {
		return "", err
	}
	var names []string
	for id := lode.DatasetSnapshotID(pointer); id != ""; {
		snapshot, ok := byID[id]
		if !ok {
			names = append(names, "no manifest")
			break
		}
		names = append(names, fmt.Sprint(snapshot.Manifest.Metadata["by"]))
		id = snapshot.Manifest.ParentSnapshotID
	}
	return fmt.Sprintf("the head's chain is %s, of %d manifests", strings.Join(names, " <- "), len(all)), nil
}

// E-2 (a): a mere latest between A's pointer and A's manifest.
func probeHealRewinds(p *prober) error {
	a, b, reached, release, err := p.paused()
	if err != nil {
		return err
	}
	done := writeAside(p.ctx, a, "A")
	<-reached
	seen, err := b.Latest(p.ctx)
	if err != nil {
		return err
	}
	close(release)
	result := <-done
	chain, err := p.chain(b)
	p.say("A has moved the pointer, its manifest is not there yet; latest elsewhere returns the snapshot by %q; then A's write: %s; %s", seen.Manifest.Metadata["by"], said(result.err), chain)
	_, next := a.Write(p.ctx, one(2), nil)
	p.say("A's next write, from the same instance: %s", said(next))
	return err
}

// E-2 (b): a cold writer in the same window.
func probeColdOvertakes(p *prober) error {
	a, b, reached, release, err := p.paused()
	if err != nil {
		return err
	}
	done := writeAside(p.ctx, a, "A")
	<-reached
	_, errB := b.Write(p.ctx, one(2), lode.Metadata{"by": "B"})
	close(release)
	result := <-done
	chain, err := p.chain(b)
	p.say("a cold B writes in the window: %s; A: %s; %s", said(errB), said(result.err), chain)
	return err
}

// E-2 (c): a warm writer with retries in the same window, which conflicts, reads latest and so rewinds.
func probeRetryRewinds(p *prober) error {
	a, b, reached, release, err := p.paused(lode.WithRetryCount(3))
	if err != nil {
		return err
	}
	if _, err := b.Latest(p.ctx); err != nil {
		return err
	}
	done := writeAside(p.ctx, a, "A")
	<-reached
	_, errB := b.Write(p.ctx, one(2), lode.Metadata{"by": "B"})
	close(release)
	result := <-done
	chain, err := p.chain(b)
	p.say("a warm B with retries writes in the window: %s; A: %s; %s", said(errB), said(result.err), chain)
	return err
}

var anyNumber = regexp.MustCompile(`\d{19}`)

// The same without any pause of ours: four instances on one directory, 50 commits each, as the disk happens to be.
func probeRace(p *prober) error {
	for _, setup := range []struct {
		name  string
		retry []lode.Option
	}{
		{"retries of default delay", []lode.Option{lode.WithRetryCount(50)}},
		{"base 50 ms, no jitter", []lode.Option{lode.WithRetryCount(50), lode.WithRetryBaseDelay(50 * time.Millisecond), lode.WithRetryJitter(0)}},
	} {
		if err := p.raceOnce(setup.name, setup.retry); err != nil {
			return err
		}
	}
	return nil
}

func (p *prober) raceOnce(name string, retry []lode.Option) error {
	if err := os.RemoveAll(filepath.Join(p.root, "datasets")); err != nil {
		return err
	}
	var wait sync.WaitGroup
	var lock sync.Mutex
	acked, failures := map[lode.DatasetSnapshotID]bool{}, map[string]int{}
	for writer := range 4 {
		store, err := p.fs()
		if err != nil {
			return err
		}
		dataset, err := open(store, retry...)
		if err != nil {
			return err
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := range 50 {
				snapshot, err := dataset.Write(p.ctx, one(n), lode.Metadata{"by": writer})
				lock.Lock()
				if err != nil {
					failures[anyNumber.ReplaceAllString(said(err), "<id>")]++
				} else {
					acked[snapshot.ID] = true
				}
				lock.Unlock()
			}
		}()
	}
	wait.Wait()
	store, err := p.fs()
	if err != nil {
		return err
	}
	dataset, err := open(store)
	if err != nil {
		return err
	}
	all, err := dataset.Snapshots(p.ctx)
	if err != nil {
		return err
	}
	byID := map[lode.DatasetSnapshotID]*lode.DatasetSnapshot{}
	children := map[lode.DatasetSnapshotID]int{}
	for _, snapshot := range all {
		byID[snapshot.ID] = snapshot
		children[snapshot.Manifest.ParentSnapshotID]++
	}
	head, err := dataset.Latest(p.ctx)
	if err != nil {
		return err
	}
	reachable := 0
	for id := head.ID; byID[id] != nil; id = byID[id].Manifest.ParentSnapshotID {
		reachable++
	}
	forks := 0
	for _, n := range children {
		forks += n - 1
	}
	p.say("4 instances x 50 commits, %s: %d acknowledged, %d manifests, %d of them on the head's chain, %d forks", name, len(acked), len(all), reachable, forks)
	for failure, n := range failures {
		p.say("  failed %d times: %s", n, failure)
	}
	return nil
}

// E-3: the manifest is stored, but the answer says it was there already.
func probeLostAnswer(p *prober) error {
	store, err := p.fs()
	if err != nil {
		return err
	}
	store.afterPut = func(key string, err error) error {
		if isManifest(key) && err == nil {
			return lode.ErrPathExists
		}
		return err
	}
	dataset, err := open(store)
	if err != nil {
		return err
	}
	_, writeErr := dataset.StreamWriteRecords(p.ctx, &sliceIterator{records: one(1)}, nil)
	store.afterPut = nil
	fresh, err := open(store)
	if err != nil {
		return err
	}
	head, err := fresh.Latest(p.ctx)
	if err != nil {
		return err
	}
	_, readErr := fresh.Read(p.ctx, head.ID)
	p.say("stream whose manifest is stored while the answer says ErrPathExists: %s; latest finds the snapshot; read of it: %s", said(writeErr), short(said(readErr)))
	return nil
}

// E-4 and E-29: metadata that cannot be serialised, on a cold and on a warm instance.
func probeUnserialisable(p *prober) error {
	store, err := p.fs()
	if err != nil {
		return err
	}
	dataset, err := open(store)
	if err != nil {
		return err
	}
	first, err := dataset.Write(p.ctx, one(1), nil)
	if err != nil {
		return err
	}
	_, bad := dataset.Write(p.ctx, one(2), lode.Metadata{"x": math.NaN()})
	pointer, err := os.ReadFile(filepath.Join(p.root, "datasets/d/latest"))
	if err != nil {
		return err
	}
	_, year := dataset.Write(p.ctx, one(2), lode.Metadata{"x": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	_, next := dataset.Write(p.ctx, one(3), nil)
	p.say("NaN in metadata: %s; pointer moved: %t; the same instance with a year 10000: %s, and with nothing wrong: %s", said(bad), string(pointer) != string(first.ID), short(said(year)), short(said(next)))
	cold, err := open(store)
	if err != nil {
		return err
	}
	written, err := cold.Write(p.ctx, one(4), nil)
	if err != nil {
		return err
	}
	p.say("a cold instance then writes on the last real snapshot: %t", written.Manifest.ParentSnapshotID == first.ID)
	return nil
}

// E-7: a slow writer commits after a faster one and holds the smaller id.
func probeLargestID(p *prober) error {
	a, b, _, release, err := p.paused()
	close(release)
	if err != nil {
		return err
	}
	slow, err := p.fs()
	if err != nil {
		return err
	}
	slow.beforePut = func(key string) error {
		if strings.HasSuffix(key, "data/data") {
			_, err := b.Write(p.ctx, one(2), lode.Metadata{"by": "fast"})
			return err
		}
		return nil
	}
	late, err := open(slow)
	if err != nil {
		return err
	}
	if _, err := late.Write(p.ctx, one(1), lode.Metadata{"by": "slow"}); err != nil {
		return err
	}
	before, err := p.chain(a)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(p.root, "datasets/d/latest")); err != nil {
		return err
	}
	cold, err := open(slow)
	if err != nil {
		return err
	}
	head, err := cold.Latest(p.ctx)
	if err != nil {
		return err
	}
	p.say("%s; with the pointer lost, latest scans and settles on %q", before, head.Manifest.Metadata["by"])
	return nil
}

// E-10: the second of three hive manifests fails.
func probePartialHive(p *prober) error {
	store, err := p.fs()
	if err != nil {
		return err
	}
	puts := 0
	store.beforePut = func(key string) error {
		if isManifest(key) {
			if puts++; puts == 2 {
				return errors.New("disk full")
			}
		}
		return nil
	}
	dataset, err := open(store, lode.WithHiveLayout("n"))
	if err != nil {
		return err
	}
	_, writeErr := dataset.Write(p.ctx, append(one(1), one(2)...), nil)
	cold, err := open(store, lode.WithHiveLayout("n"))
	if err != nil {
		return err
	}
	head, headErr := cold.Latest(p.ctx)
	reader, err := lode.NewDatasetReader(func() (lode.Store, error) { return store, nil }, lode.WithHiveLayout("n"))
	if err != nil {
		return err
	}
	_, listErr := reader.ListManifests(p.ctx, "d", "", lode.ManifestListOptions{})
	p.say("first partition copy fails: %s; latest then: %s, found: %t; listManifests: %s", said(writeErr), said(headErr), head != nil, said(listErr))
	return nil
}

// E-15 and neighbours: what stands in the pointer.
func probePointerText(p *prober) error {
	for _, shape := range []string{"%s", "%s\n", " %s\t", "\u00a0%s", "\ufeff%s", "%s\x00", "", " \n", "no-such-id", "../snapshots/%s", "%s/"} {
		if err := os.RemoveAll(filepath.Join(p.root, "datasets")); err != nil {
			return err
		}
		store, err := p.fs()
		if err != nil {
			return err
		}
		dataset, err := open(store)
		if err != nil {
			return err
		}
		first, err := dataset.Write(p.ctx, one(1), nil)
		if err != nil {
			return err
		}
		text := strings.Replace(shape, "%s", string(first.ID), 1)
		pointer := filepath.Join(p.root, "datasets/d/latest")
		if err := os.WriteFile(pointer, []byte(text), 0o644); err != nil {
			return err
		}
		writer, err := open(store)
		if err != nil {
			return err
		}
		_, writeErr := writer.Write(p.ctx, one(2), nil)
		if err := os.WriteFile(pointer, []byte(text), 0o644); err != nil {
			return err
		}
		reader, err := open(store)
		if err != nil {
			return err
		}
		_, latestErr := reader.Latest(p.ctx)
		after, err := os.ReadFile(pointer)
		if err != nil {
			return err
		}
		_, nextErr := reader.Write(p.ctx, one(3), nil)
		p.say("pointer %q: a cold write %s; latest %s, pointer rewritten: %t, a write after it %s", shape, short(said(writeErr)), said(latestErr), string(after) != text, short(said(nextErr)))
	}
	return nil
}

// E-5, E-16, E-18: damaged objects.
func probeDamage(p *prober) error {
	store, err := p.fs()
	if err != nil {
		return err
	}
	dataset, err := open(store, lode.WithChecksum(lode.NewMD5Checksum()))
	if err != nil {
		return err
	}
	first, err := dataset.Write(p.ctx, one(1), nil)
	if err != nil {
		return err
	}
	data := filepath.Join(p.root, first.Manifest.Files[0].Path)
	if err := os.WriteFile(data, []byte("{\"n\":999999}\n"), 0o644); err != nil {
		return err
	}
	records, err := dataset.Read(p.ctx, first.ID)
	p.say("data altered under a recorded md5 and size: read gives %v, %s", records, said(err))
	second, err := dataset.Write(p.ctx, one(2), nil)
	if err != nil {
		return err
	}
	manifest := filepath.Join(p.root, "datasets/d/snapshots", string(second.ID), "manifest.json")
	for _, content := range []string{"", "{\"schema_name\":"} {
		if err := os.WriteFile(manifest, []byte(content), 0o644); err != nil {
			return err
		}
		cold, err := open(store)
		if err != nil {
			return err
		}
		_, latestErr := cold.Latest(p.ctx)
		_, allErr := cold.Snapshots(p.ctx)
		written, writeErr := cold.Write(p.ctx, one(3), nil)
		onTop := written != nil && written.Manifest.ParentSnapshotID == second.ID
		p.say("newest manifest cut to %q: latest %s; snapshots %s; a cold write %s, with the damaged one as parent: %t", content, short(said(latestErr)), short(said(allErr)), said(writeErr), onTop)
		if written != nil {
			if err := os.RemoveAll(filepath.Join(p.root, "datasets/d/snapshots", string(written.ID))); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(p.root, "datasets/d/latest"), []byte(second.ID), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// E-20: latest cannot repair the pointer, and remembers that it did.
func probeReadOnlyHeal(p *prober) error {
	store, err := p.fs()
	if err != nil {
		return err
	}
	dataset, err := open(store)
	if err != nil {
		return err
	}
	if _, err := dataset.Write(p.ctx, one(1), nil); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(p.root, "datasets/d/latest")); err != nil {
		return err
	}
	store.beforeCAS = func(string, string, string) error { return errors.New("permission denied") }
	cold, err := open(store)
	if err != nil {
		return err
	}
	_, latestErr := cold.Latest(p.ctx)
	store.beforeCAS = nil
	_, firstErr := cold.Write(p.ctx, one(2), nil)
	_, secondErr := cold.Write(p.ctx, one(2), nil)
	p.say("pointer missing and not writable: latest %s; later, writable again, the instance's writes: %s, %s", said(latestErr), short(said(firstErr)), short(said(secondErr)))
	return nil
}

// E-21: dataset ids that are paths.
func probeHostileIDs(p *prober) error {
	for _, id := range []lode.DatasetID{"", "a/b", "..", "../..", "../../..", ".", "a b", "é", "latest", "snapshots", "a\\b"} {
		if err := os.RemoveAll(filepath.Join(p.root, "datasets")); err != nil {
			return err
		}
		store, err := p.fs()
		if err != nil {
			return err
		}
		dataset, err := lode.NewDataset(id, func() (lode.Store, error) { return store, nil }, lode.WithCodec(lode.NewJSONLCodec()))
		if err != nil {
			p.say("%q: refused at construction, %s", id, said(err))
			continue
		}
		snapshot, writeErr := dataset.Write(p.ctx, one(1), nil)
		path := ""
		if snapshot != nil {
			path = strings.ReplaceAll(snapshot.Manifest.Files[0].Path, string(snapshot.ID), "<id>")
		}
		_, latestErr := dataset.Latest(p.ctx)
		all, allErr := dataset.Snapshots(p.ctx)
		p.say("%q: write %s at %q; latest %s; snapshots %d, %s", id, short(said(writeErr)), path, said(latestErr), len(all), said(allErr))
		listed, err := store.List(p.ctx, "")
		if err != nil {
			return err
		}
		for _, key := range listed {
			_ = store.Delete(p.ctx, key)
		}
	}
	return nil
}

// 11.6: the waits between attempts, measured at the compare-and-swap.
func probeRetryDelays(p *prober) error {
	ms := time.Millisecond
	setups := []struct {
		name    string
		options []lode.Option
	}{
		{"base 10 ms, jitter 0", []lode.Option{lode.WithRetryJitter(0)}},
		{"base 20 ms, max 50 ms, jitter 0", []lode.Option{lode.WithRetryJitter(0), lode.WithRetryBaseDelay(20 * ms), lode.WithRetryMaxDelay(50 * ms)}},
		{"base 20 ms, jitter 0.5", []lode.Option{lode.WithRetryJitter(0.5), lode.WithRetryBaseDelay(20 * ms)}},
		{"base 20 ms, jitter 1", []lode.Option{lode.WithRetryBaseDelay(20 * ms)}},
	}
	for _, setup := range setups {
		store := &hookedStore{Store: lode.NewMemory()}
		var times []time.Time
		store.beforeCAS = func(string, string, string) error {
			times = append(times, time.Now())
			return lode.ErrSnapshotConflict
		}
		dataset, err := open(store, append(setup.options, lode.WithRetryCount(4))...)
		if err != nil {
			return err
		}
		_, writeErr := dataset.Write(p.ctx, one(1), nil)
		var waits []string
		for i := 1; i < len(times); i++ {
			waits = append(waits, fmt.Sprintf("%.1f", float64(times[i].Sub(times[i-1]).Microseconds())/1000))
		}
		p.say("%s, 4 retries: waits of %s ms, then %s", setup.name, strings.Join(waits, ", "), short(said(writeErr)))
	}
	store := &hookedStore{Store: lode.NewMemory(), beforeCAS: func(string, string, string) error { return lode.ErrSnapshotConflict }}
	dataset, err := open(store, lode.WithRetryCount(4), lode.WithRetryBaseDelay(time.Second), lode.WithRetryJitter(0))
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(p.ctx, 50*ms)
	defer cancel()
	start := time.Now()
	_, writeErr := dataset.StreamWriteRecords(limited, &sliceIterator{records: one(1)}, nil)
	left, err := store.List(p.ctx, "")
	p.say("deadline during a wait of 1 s: ended promptly: %t, %s; objects left: %d, %s", time.Since(start) < 500*ms, said(writeErr), len(left), said(err))
	return nil
}
