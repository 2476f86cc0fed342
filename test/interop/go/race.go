package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/pithecene-io/lode/lode"
)

// raceSpec asks for Commits acknowledged commits by one warm instance, as a long-lived Go writer would make them. Writer is
// stored in each commit's metadata, next to a running number.
type raceSpec struct {
	datasetSpec
	Commits int    `json:"commits"`
	Writer  string `json:"writer"`
	Records values `json:"records,omitempty"`
}

// raceLine is one line of output: a commit acknowledged, a commit given up, or the end.
type raceLine struct {
	Acked  string   `json:"acked,omitempty"`
	Parent string   `json:"parent,omitempty"`
	Failed *failure `json:"failed,omitempty"`
	Done   bool     `json:"done,omitempty"`
}

// race starts at the first line on stdin, so that several racers can be let go together, and stops when it has its commits
// or when stdin closes, between two commits. A conflict that outlasts the library's own retries is reported, the head is
// read again and the next commit tried, which is what the library's documentation tells a writer to do. A writer that never
// succeeds gives up in the end.
func race(spec raceSpec, in io.Reader, out io.Writer) error {
	dataset, err := openDataset(spec.datasetSpec, nil)
	if err != nil {
		return err
	}
	say := json.NewEncoder(out)
	lines := bufio.NewReader(in)
	if _, err := lines.ReadString('\n'); err != nil {
		return say.Encode(raceLine{Done: true})
	}
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(stop)
	}()
	ctx := context.Background()
	for made, tried := 0, 0; made < spec.Commits && tried < 100*(spec.Commits+1); tried++ {
		select {
		case <-stop:
			return say.Encode(raceLine{Done: true})
		default:
		}
		records := []any(spec.Records)
		if records == nil {
			records = []any{map[string]any{"writer": spec.Writer, "n": tried}}
		}
		snapshot, err := dataset.Write(ctx, records, lode.Metadata{"writer": spec.Writer, "n": tried})
		if err != nil {
			if err := say.Encode(raceLine{Failed: failureOf(err)}); err != nil {
				return err
			}
			if _, err := dataset.Latest(ctx); err != nil && !errors.Is(err, lode.ErrNoSnapshots) {
				if err := say.Encode(raceLine{Failed: failureOf(err)}); err != nil {
					return err
				}
			}
			continue
		}
		made++
		line := raceLine{Acked: string(snapshot.ID), Parent: string(snapshot.Manifest.ParentSnapshotID)}
		if err := say.Encode(line); err != nil {
			return err
		}
	}
	return say.Encode(raceLine{Done: true})
}
