package main

import (
	"context"
	"io"

	"github.com/pithecene-io/lode/lode"
)

// manifestRef is lode.ManifestRef with names of its own for the pipe.
type manifestRef struct {
	ID        string `json:"id"`
	Partition string `json:"partition"`
}

func handleDatasets(_ *server, ctx context.Context, r request) (any, error) {
	reader, err := openReader(r.datasetSpec, nil)
	if err != nil {
		return nil, err
	}
	return listDatasets(ctx, reader, r.Limit)
}

func handlePartitions(_ *server, ctx context.Context, r request) (any, error) {
	reader, err := openReader(r.datasetSpec, nil)
	if err != nil {
		return nil, err
	}
	return listPartitions(ctx, reader, r.Dataset, r.Limit)
}

func handleManifests(_ *server, ctx context.Context, r request) (any, error) {
	reader, err := openReader(r.datasetSpec, nil)
	if err != nil {
		return nil, err
	}
	return listManifests(ctx, reader, r.Dataset, r.Partition, r.Limit)
}

func handleManifest(_ *server, ctx context.Context, r request) (any, error) {
	reader, err := openReader(r.datasetSpec, nil)
	if err != nil {
		return nil, err
	}
	ref := lode.ManifestRef{ID: lode.DatasetSnapshotID(r.ID), Partition: r.Partition}
	return reader.GetManifest(ctx, lode.DatasetID(r.Dataset), ref)
}

func handleObject(_ *server, ctx context.Context, r request) (any, error) {
	reader, err := openReader(r.datasetSpec, nil)
	if err != nil {
		return nil, err
	}
	body, err := reader.OpenObject(ctx, lode.ObjectRef{Dataset: lode.DatasetID(r.Dataset), Path: r.Path})
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return toTagged(data), nil
}

func listDatasets(ctx context.Context, reader lode.DatasetReader, limit int) ([]string, error) {
	ids, err := reader.ListDatasets(ctx, lode.DatasetListOptions{Limit: limit})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, string(id))
	}
	return names, nil
}

func listPartitions(ctx context.Context, reader lode.DatasetReader, dataset string, limit int) ([]string, error) {
	refs, err := reader.ListPartitions(ctx, lode.DatasetID(dataset), lode.PartitionListOptions{Limit: limit})
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(refs))
	for _, ref := range refs {
		paths = append(paths, ref.Path)
	}
	return paths, nil
}

func listManifests(ctx context.Context, reader lode.DatasetReader, dataset, partition string, limit int) ([]manifestRef, error) {
	refs, err := reader.ListManifests(ctx, lode.DatasetID(dataset), partition, lode.ManifestListOptions{Limit: limit})
	if err != nil {
		return nil, err
	}
	all := make([]manifestRef, 0, len(refs))
	for _, ref := range refs {
		all = append(all, manifestRef{ID: string(ref.ID), Partition: ref.Partition})
	}
	return all, nil
}
