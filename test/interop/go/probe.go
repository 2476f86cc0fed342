package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/pithecene-io/lode/lode"
)

// A probe tries one thing on the real library and prints what happened, one fact a line. The facts are written up in
// docs/formats/dataset.md, "What experiments settled"; running the probes again shows whether they still hold.
type probeFunc func(p *prober) error

var probes = []struct {
	name string
	run  probeFunc
}{
	{"compressed-bytes", probeCompressedBytes},
	{"decompression", probeDecompression},
	{"jsonl-reading", probeLines},
	{"jsonl-limit", probeLineLimit},
	{"manifest-reading", probeManifests},
	{"parquet-aliasing", probeParquetAliasing},
	{"parquet-values", probeParquetValues},
	{"timestamped", probeTimestamped},
	{"store-paths", probeStorePaths},
	{"store-objects", probeStoreObjects},
	{"store-cas", probeStoreCAS},
	{"list-bleed", probeListBleed},
	{"lock-wait", probeLockWait},
	{"empty-write", probeEmptyWrite},
	{"pointer-ahead-latest", probeHealRewinds},
	{"pointer-ahead-cold", probeColdOvertakes},
	{"pointer-ahead-retry", probeRetryRewinds},
	{"race", probeRace},
	{"lost-answer", probeLostAnswer},
	{"unserialisable", probeUnserialisable},
	{"largest-id", probeLargestID},
	{"partial-hive", probePartialHive},
	{"pointer-text", probePointerText},
	{"damage", probeDamage},
	{"read-only-heal", probeReadOnlyHeal},
	{"hostile-ids", probeHostileIDs},
	{"retry-delays", probeRetryDelays},
	{"stream-states", probeStreamStates},
	{"stream-cancel", probeStreamCancel},
	{"stream-stuck", probeStreamStuck},
}

func probe(names []string, out io.Writer) error {
	for _, known := range probes {
		if len(names) > 0 && !slices.Contains(names, known.name) {
			continue
		}
		root, err := os.MkdirTemp("", "lode-probe-")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "== %s\n", known.name)
		err = known.run(&prober{ctx: context.Background(), out: out, root: root})
		_ = os.RemoveAll(root)
		if err != nil {
			return fmt.Errorf("%s: %w", known.name, err)
		}
	}
	return nil
}

// prober gives a probe a directory of its own and a place to speak.
type prober struct {
	ctx  context.Context
	out  io.Writer
	root string
}

func (p *prober) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p *prober) fs() (*hookedStore, error) {
	store, err := lode.NewFS(p.root)
	return &hookedStore{Store: store}, err
}

// open opens a dataset "d" of JSON lines in the store.
func open(store lode.Store, options ...lode.Option) (lode.Dataset, error) {
	options = append([]lode.Option{lode.WithCodec(lode.NewJSONLCodec())}, options...)
	return lode.NewDataset("d", func() (lode.Store, error) { return store, nil }, options...)
}

func one(n int) []any { return []any{map[string]any{"n": n}} }

// outcome in words: "ok" or the sentinel and the text.
func said(err error) string {
	if err == nil {
		return "ok"
	}
	f := failureOf(err)
	if f.Name == "" {
		return fmt.Sprintf("plain error %q", f.Message)
	}
	return fmt.Sprintf("%s %q", f.Name, f.Message)
}

// within runs work and says whether it ended in time; a stuck goroutine is left behind, the process ends soon anyway.
func within(limit time.Duration, work func() error) (err error, ended bool) {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err, true
	case <-time.After(limit):
		return nil, false
	}
}
