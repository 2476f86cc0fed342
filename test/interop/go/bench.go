package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pithecene-io/lode/lode"
)

// benchSpec asks for Iterations of one workload. The answer is the time they took, measured in here, so that a bar can let
// the two sides take turns without counting the pipe.
//
//	write-small   Count records per commit, one commit after the other on a warm instance
//	write-bulk    the same with one large commit each
//	read-bulk     the latest snapshot, decoded in full
//	latest        the head: pointer and manifest
//
// Store "memory" keeps everything inside this process, under the request's handle, until that is closed.
type benchSpec struct {
	Work       string `json:"work,omitempty"`
	Store      string `json:"store,omitempty"`
	Iterations int    `json:"iterations,omitempty"`
	Count      int    `json:"count,omitempty"`
}

type benchState struct {
	dataset lode.Dataset
	records []any
}

type benchFacts struct {
	Nanoseconds int64 `json:"nanoseconds"`
	PerOp       int64 `json:"perOp"`
	Records     int   `json:"records"`
	Bytes       int64 `json:"bytes"`
}

func handleBench(s *server, ctx context.Context, r request) (any, error) {
	state, err := s.bench(r)
	if err != nil {
		return nil, err
	}
	facts := benchFacts{}
	var latest lode.DatasetSnapshotID
	if r.Work == "read-bulk" {
		head, err := state.dataset.Latest(ctx)
		if err != nil {
			return nil, err
		}
		latest = head.ID
	}
	start := time.Now()
	for range r.Iterations {
		switch r.Work {
		case "write-small", "write-bulk":
			snapshot, err := state.dataset.Write(ctx, state.records, lode.Metadata{})
			if err != nil {
				return nil, err
			}
			facts.Records += len(state.records)
			for _, file := range snapshot.Manifest.Files {
				facts.Bytes += file.SizeBytes
			}
		case "read-bulk":
			records, err := state.dataset.Read(ctx, latest)
			if err != nil {
				return nil, err
			}
			facts.Records += len(records)
		case "latest":
			if _, err := state.dataset.Latest(ctx); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown work %q", r.Work)
		}
	}
	facts.Nanoseconds = time.Since(start).Nanoseconds()
	facts.PerOp = facts.Nanoseconds / int64(max(1, r.Iterations))
	return facts, nil
}

// bench opens the dataset of a handle once. The records are those of the request, or Count made ones of the usual shape.
func (s *server) bench(r request) (*benchState, error) {
	if state, ok := s.benches[r.Handle]; ok && r.Handle != "" {
		return state, nil
	}
	var store lode.Store
	if r.Store == "memory" {
		store = lode.NewMemory()
	}
	dataset, err := openDataset(r.datasetSpec, store)
	if err != nil {
		return nil, err
	}
	state := &benchState{dataset: dataset, records: r.Records}
	if state.records == nil {
		state.records = benchRecords(r.Count)
	}
	if r.Handle != "" {
		s.benches[r.Handle] = state
	}
	return state, nil
}

// benchRecords makes records a peer can make too: member for member the same values.
func benchRecords(count int) []any {
	records := make([]any, count)
	for i := range records {
		records[i] = map[string]any{
			"id":      float64(i),
			"name":    fmt.Sprintf("user-%d", i%1000),
			"score":   float64(i%997) / 8,
			"active":  i%3 == 0,
			"message": "the quick brown fox jumps over the lazy dog",
		}
	}
	return records
}
