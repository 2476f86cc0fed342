package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pithecene-io/lode/lode"
)

func (p *prober) bothStores() (map[string]lode.Store, []string, error) {
	fs, err := lode.NewFS(p.root)
	return map[string]lode.Store{"fs": fs, "memory": lode.NewMemory()}, []string{"fs", "memory"}, err
}

func probeStorePaths(p *prober) error {
	keys := []string{"", ".", "..", "../x", "a/../..", "a/../../b", "/x", "/", "//", "a//b", "a/./b", "a/b/", "a/../b", "a\\b", "a\x00b", "a\nb", strings.Repeat("k", 256), "~", "C:", " ", "é", "e\u0301"}
	stores, names, err := p.bothStores()
	if err != nil {
		return err
	}
	for _, key := range keys {
		for _, name := range names {
			store := stores[name]
			err := store.Put(p.ctx, key, strings.NewReader("x"))
			listed, listErr := store.List(p.ctx, "")
			p.say("%s put %.20q: %s; stored as %q", name, key, short(said(err)), listed)
			_, existsErr := store.Exists(p.ctx, key)
			_, prefixErr := store.List(p.ctx, key)
			if said(existsErr) != said(err) || said(prefixErr) != said(listErr) {
				p.say("  exists: %s; list of it: %s", short(said(existsErr)), short(said(prefixErr)))
			}
			for _, made := range listed {
				_ = store.Delete(p.ctx, made)
			}
		}
	}
	return nil
}

func probeStoreObjects(p *prober) error {
	stores, names, err := p.bothStores()
	if err != nil {
		return err
	}
	for _, name := range names {
		store := stores[name]
		first := store.Put(p.ctx, "dir/obj", strings.NewReader("hello"))
		p.say("%s put: %s, again: %s", name, said(first), said(store.Put(p.ctx, "dir/obj", strings.NewReader("other"))))
		p.say("%s put where a directory is: %s", name, said(store.Put(p.ctx, "dir", strings.NewReader("x"))))
		p.say("%s put below an object: %s", name, said(store.Put(p.ctx, "dir/obj/below", strings.NewReader("x"))))
		_, err := store.Get(p.ctx, "dir/obj/below")
		p.say("%s get below an object: %s", name, said(err))
		exists, err := store.Exists(p.ctx, "dir")
		p.say("%s exists of a directory: %t, %s", name, exists, said(err))
		data, err := readObject(p.ctx, store, "dir")
		p.say("%s get of a directory: %q, %s", name, data, said(err))
		err = store.Put(p.ctx, "broken", io.MultiReader(strings.NewReader("half"), &failingReader{}))
		data, getErr := readObject(p.ctx, store, "broken")
		p.say("%s put whose stream fails after 4 bytes: %s; then get: %q, %s; put again: %s", name, said(err), data, said(getErr), said(store.Put(p.ctx, "broken", strings.NewReader("x"))))
		p.say("%s delete of nothing: %s; of a full directory: %s", name, said(store.Delete(p.ctx, "nothing")), said(store.Delete(p.ctx, "dir")))
		for _, r := range [][2]int64{{0, 5}, {3, 100}, {5, 1}, {100, 10}, {0, 0}, {-1, 10}, {0, -1}, {1<<63 - 11, 20}} {
			data, err := store.ReadRange(p.ctx, "dir/obj", r[0], r[1])
			_, missing := store.ReadRange(p.ctx, "missing", r[0], r[1])
			p.say("%s readRange(%d, %d) of 5 bytes: %q, %s; of a missing object: %s", name, r[0], r[1], data, said(err), said(missing))
		}
		cancelled, cancel := context.WithCancel(p.ctx)
		cancel()
		put := store.Put(cancelled, "after-cancel", strings.NewReader("x"))
		_, get := store.Get(cancelled, "dir/obj")
		p.say("%s with a cancelled context: put %s, get %s", name, said(put), said(get))
	}
	for _, made := range []string{"dir/obj", "broken"} {
		info, err := os.Stat(filepath.Join(p.root, made))
		if err != nil {
			return err
		}
		p.say("fs mode of %s: %o", made, info.Mode().Perm())
	}
	_, err = lode.NewFS(filepath.Join(p.root, "no-such-root"))
	_, fileErr := lode.NewFS(filepath.Join(p.root, "broken"))
	p.say("fs with a missing root: %s; with a file as root: %s", strings.ReplaceAll(said(err), p.root, "ROOT"), strings.ReplaceAll(said(fileErr), p.root, "ROOT"))
	return nil
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, errors.New("stream broke") }

func probeStoreCAS(p *prober) error {
	stores, names, err := p.bothStores()
	if err != nil {
		return err
	}
	for _, name := range names {
		store := stores[name]
		cas := store.(lode.ConditionalWriter)
		for _, step := range [][2]string{{"snap-0", "x"}, {"", "snap-1"}, {"", "y"}, {"snap-1", "snap-2"}, {"stale", "x"}, {"snap-2", ""}, {"", "snap-3"}, {"snap-3\n", "x"}} {
			before, _ := readObject(p.ctx, store, "ptr/latest")
			p.say("%s content %q, compareAndSwap(%q, %q): %s", name, before, step[0], step[1], said(cas.CompareAndSwap(p.ctx, "ptr/latest", step[0], step[1])))
		}
		p.say("%s compareAndSwap of the empty key: %s", name, said(cas.CompareAndSwap(p.ctx, "", "", "x")))
		listed, err := store.List(p.ctx, "")
		p.say("%s listed afterwards: %q, %s", name, listed, said(err))
	}
	for _, made := range []string{"ptr/latest", "ptr/latest.lock", "ptr"} {
		info, err := os.Stat(filepath.Join(p.root, made))
		if err != nil {
			return err
		}
		p.say("fs mode of %s: %o, size %d", made, info.Mode().Perm(), info.Size())
	}
	return nil
}

// E-9: what a dataset named foo sees of one named foobar.
func probeListBleed(p *prober) error {
	stores, names, err := p.bothStores()
	if err != nil {
		return err
	}
	layouts := map[string][]lode.Option{"default": nil, "flat": {lode.WithLayout(lode.NewFlatLayout())}, "hive": {lode.WithHiveLayout("n")}}
	for _, name := range names {
		for _, layout := range []string{"default", "flat", "hive"} {
			store := stores[name]
			if name == "memory" {
				store = lode.NewMemory()
			}
			factory := func() (lode.Store, error) { return store, nil }
			options := append([]lode.Option{lode.WithCodec(lode.NewJSONLCodec())}, layouts[layout]...)
			id := lode.DatasetID(layout + "-foo")
			foo, err := lode.NewDataset(id, factory, options...)
			if err != nil {
				return err
			}
			foobar, err := lode.NewDataset(id+"bar", factory, options...)
			if err != nil {
				return err
			}
			if _, err := foobar.Write(p.ctx, one(1), nil); err != nil {
				return err
			}
			listed, err := foo.Snapshots(p.ctx)
			latest, latestErr := foo.Latest(p.ctx)
			healed := ""
			if latest != nil {
				healed = fmt.Sprintf(", and latest gives the other's snapshot of dataset %q", latest.Manifest.DatasetID)
			}
			reader, readerErr := lode.NewDatasetReader(factory, layouts[layout]...)
			if readerErr != nil {
				return readerErr
			}
			_, manifestsErr := reader.ListManifests(p.ctx, id, "", lode.ManifestListOptions{})
			written, writeErr := foo.Write(p.ctx, one(1), nil)
			parent := lode.DatasetSnapshotID("")
			if written != nil {
				parent = written.Manifest.ParentSnapshotID
			}
			p.say("%s %s, foo empty, foobar with one snapshot: foo.snapshots %d (%s), foo.latest %s%s; reader.manifests %s; first write of foo %s, has a parent: %t",
				name, layout, len(listed), said(err), said(latestErr), healed, said(manifestsErr), said(writeErr), parent != "")
		}
	}
	return nil
}

// E-34: a commit behind a held lock, with a deadline that passes meanwhile.
func probeLockWait(p *prober) error {
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
	lock, err := os.OpenFile(filepath.Join(p.root, "datasets/d/latest.lock"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(p.ctx, 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	done := make(chan error, 1)
	go func() {
		_, err := dataset.Write(limited, one(2), nil)
		done <- err
	}()
	select {
	case err := <-done:
		p.say("the commit ended while the lock was held: %s", said(err))
	case <-time.After(400 * time.Millisecond):
		p.say("400 ms later, 350 ms past its deadline, the commit still waits for the lock")
		_ = lock.Close()
		err := <-done
		p.say("lock released: the commit, whose deadline is long gone, ends with %s after %d ms or more", said(err), time.Since(start).Milliseconds()/100*100)
	}
	return nil
}
