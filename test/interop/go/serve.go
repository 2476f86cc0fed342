package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/pithecene-io/lode/lode"
)

// request is one line on stdin. Op selects the handler; a request that names a Handle reuses the dataset object opened
// under that name before, which is how a test gets a warm instance.
type request struct {
	Op        string `json:"op"`
	Handle    string `json:"handle,omitempty"`
	ID        string `json:"id,omitempty"`
	Partition string `json:"partition,omitempty"`
	Path      string `json:"path,omitempty"`
	Limit     int    `json:"limit,omitempty"`
	// Volume says which volume the operations on volumes mean, and what with.
	Volume *volumeRequest `json:"volume,omitempty"`
	datasetSpec
	writeSpec
	benchSpec
}

// answer is one line on stdout: a result or a failure.
type answer struct {
	OK    any      `json:"ok,omitempty"`
	Error *failure `json:"error,omitempty"`
}

type handler func(s *server, ctx context.Context, r request) (any, error)

// handlers lists what serve can do with datasets; volumeHandlers is its twin.
var handlers = map[string]handler{
	"write":      handleWrite,
	"read":       handleRead,
	"latest":     handleLatest,
	"snapshot":   handleSnapshot,
	"snapshots":  handleSnapshots,
	"datasets":   handleDatasets,
	"partitions": handlePartitions,
	"manifests":  handleManifests,
	"manifest":   handleManifest,
	"object":     handleObject,
	"bench":      handleBench,
	"close":      handleClose,
}

type server struct {
	datasets map[string]lode.Dataset
	benches  map[string]*benchState
	volumes  map[string]lode.Volume
}

// serve answers requests in order until stdin closes.
func serve(in io.Reader, out io.Writer) error {
	s := &server{datasets: map[string]lode.Dataset{}, benches: map[string]*benchState{}, volumes: map[string]lode.Volume{}}
	requests := json.NewDecoder(bufio.NewReader(in))
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		var r request
		if err := requests.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("unreadable request: %w", err)
		}
		result, err := s.answer(r)
		if err := answers.Encode(answer{OK: result, Error: failureOf(err)}); err != nil {
			return err
		}
	}
}

// answer turns a panic of the library into a failure, so that a test can say what it provoked.
func (s *server) answer(r request) (result any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			result, err = nil, fmt.Errorf("panic: %v", cause)
		}
	}()
	handle, ok := handlers[r.Op]
	if !ok {
		handle, ok = volumeHandlers[r.Op]
	}
	if !ok {
		return nil, fmt.Errorf("unknown op %q", r.Op)
	}
	return handle(s, context.Background(), r)
}

func (s *server) dataset(r request) (lode.Dataset, error) {
	if open, ok := s.datasets[r.Handle]; ok && r.Handle != "" {
		return open, nil
	}
	dataset, err := openDataset(r.datasetSpec, nil)
	if err == nil && r.Handle != "" {
		s.datasets[r.Handle] = dataset
	}
	return dataset, err
}

// snapshotFacts is a snapshot as the library sees it: the manifest is the decoded structure, printed again.
type snapshotFacts struct {
	ID       string         `json:"id"`
	Manifest *lode.Manifest `json:"manifest"`
}

func factsOf(snapshot *lode.DatasetSnapshot) snapshotFacts {
	return snapshotFacts{ID: string(snapshot.ID), Manifest: snapshot.Manifest}
}

func handleWrite(s *server, ctx context.Context, r request) (any, error) {
	dataset, err := s.dataset(r)
	if err != nil {
		return nil, err
	}
	snapshot, err := commit(ctx, dataset, r.writeSpec)
	if err != nil {
		return nil, err
	}
	return factsOf(snapshot), nil
}

func handleRead(s *server, ctx context.Context, r request) (any, error) {
	dataset, err := s.dataset(r)
	if err != nil {
		return nil, err
	}
	records, err := dataset.Read(ctx, lode.DatasetSnapshotID(r.ID))
	if err != nil {
		return nil, err
	}
	return map[string]any{"records": values(records)}, nil
}

func handleLatest(s *server, ctx context.Context, r request) (any, error) {
	dataset, err := s.dataset(r)
	if err != nil {
		return nil, err
	}
	snapshot, err := dataset.Latest(ctx)
	if err != nil {
		return nil, err
	}
	return factsOf(snapshot), nil
}

func handleSnapshot(s *server, ctx context.Context, r request) (any, error) {
	dataset, err := s.dataset(r)
	if err != nil {
		return nil, err
	}
	snapshot, err := dataset.Snapshot(ctx, lode.DatasetSnapshotID(r.ID))
	if err != nil {
		return nil, err
	}
	return factsOf(snapshot), nil
}

func handleSnapshots(s *server, ctx context.Context, r request) (any, error) {
	dataset, err := s.dataset(r)
	if err != nil {
		return nil, err
	}
	snapshots, err := dataset.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]snapshotFacts, 0, len(snapshots))
	for _, snapshot := range snapshots {
		all = append(all, factsOf(snapshot))
	}
	return all, nil
}

func handleClose(s *server, _ context.Context, r request) (any, error) {
	delete(s.datasets, r.Handle)
	delete(s.benches, r.Handle)
	delete(s.volumes, r.Handle)
	return true, nil
}
