package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pithecene-io/lode/lode"
)

// volumeSpec says which volume to open and how. Empty members mean the library's defaults.
type volumeSpec struct {
	Root     string      `json:"root,omitempty"`
	S3       *bucketSpec `json:"s3,omitempty"`
	Volume   string      `json:"volume"`
	Length   int64       `json:"length"`
	Checksum string      `json:"checksum,omitempty"`
	Retry    *retrySpec  `json:"retry,omitempty"`
}

// volumeRequest is the part of a request that volumes read: which one, and what the operation takes.
type volumeRequest struct {
	volumeSpec
	Offset   int64           `json:"offset,omitempty"`
	Count    int64           `json:"count,omitempty"`
	Data     []byte          `json:"data,omitempty"`
	Blocks   []lode.BlockRef `json:"blocks,omitempty"`
	Metadata members         `json:"metadata,omitempty"`
	BlockLen int64           `json:"blockLength,omitempty"`
}

type volumeFacts struct {
	ID       string               `json:"id"`
	Manifest *lode.VolumeManifest `json:"manifest"`
}

func volumeFactsOf(snapshot *lode.VolumeSnapshot) volumeFacts {
	return volumeFacts{ID: string(snapshot.ID), Manifest: snapshot.Manifest}
}

func openVolume(spec volumeSpec, store lode.Store) (lode.Volume, error) {
	options := retryOptions(spec.Retry)
	switch spec.Checksum {
	case "", "none":
	case "md5":
		options = append(options, lode.WithChecksum(lode.NewMD5Checksum()))
	default:
		return nil, fmt.Errorf("unknown checksum %q", spec.Checksum)
	}
	at := datasetSpec{Root: spec.Root, S3: spec.S3}
	return lode.NewVolume(lode.VolumeID(spec.Volume), storeFactory(at, store), spec.Length, options...)
}

// volume opens what the request names; under a handle, once.
func (s *server) volume(r request) (lode.Volume, error) {
	if open, ok := s.volumes[r.Handle]; ok && r.Handle != "" {
		return open, nil
	}
	if r.Volume == nil {
		return nil, fmt.Errorf("the request names no volume")
	}
	volume, err := openVolume(r.Volume.volumeSpec, nil)
	if err == nil && r.Handle != "" {
		s.volumes[r.Handle] = volume
	}
	return volume, err
}

// volumeHandler gives a handler the open volume.
func volumeHandler(do func(ctx context.Context, volume lode.Volume, r request) (any, error)) handler {
	return func(s *server, ctx context.Context, r request) (any, error) {
		volume, err := s.volume(r)
		if err != nil {
			return nil, err
		}
		return do(ctx, volume, r)
	}
}

var volumeHandlers = map[string]handler{
	"volume-stage": volumeHandler(func(ctx context.Context, volume lode.Volume, r request) (any, error) {
		return volume.StageWriteAt(ctx, r.Volume.Offset, bytes.NewReader(r.Volume.Data))
	}),
	"volume-commit": volumeHandler(func(ctx context.Context, volume lode.Volume, r request) (any, error) {
		snapshot, err := volume.Commit(ctx, r.Volume.Blocks, lode.Metadata(r.Volume.Metadata))
		if err != nil {
			return nil, err
		}
		return volumeFactsOf(snapshot), nil
	}),
	"volume-read": volumeHandler(func(ctx context.Context, volume lode.Volume, r request) (any, error) {
		data, err := volume.ReadAt(ctx, lode.VolumeSnapshotID(r.ID), r.Volume.Offset, r.Volume.Count)
		if err != nil {
			return nil, err
		}
		return map[string]any{"data": data}, nil
	}),
	"volume-latest": volumeHandler(func(ctx context.Context, volume lode.Volume, _ request) (any, error) {
		snapshot, err := volume.Latest(ctx)
		if err != nil {
			return nil, err
		}
		return volumeFactsOf(snapshot), nil
	}),
	"volume-snapshot": volumeHandler(func(ctx context.Context, volume lode.Volume, r request) (any, error) {
		snapshot, err := volume.Snapshot(ctx, lode.VolumeSnapshotID(r.ID))
		if err != nil {
			return nil, err
		}
		return volumeFactsOf(snapshot), nil
	}),
	"volume-snapshots": volumeHandler(func(ctx context.Context, volume lode.Volume, _ request) (any, error) {
		snapshots, err := volume.Snapshots(ctx)
		if err != nil {
			return nil, err
		}
		all := make([]volumeFacts, 0, len(snapshots))
		for _, snapshot := range snapshots {
			all = append(all, volumeFactsOf(snapshot))
		}
		return all, nil
	}),
	"volume-bench": volumeHandler(benchVolume),
}

// benchVolume times Iterations of one workload on the volume of the request's handle:
//
//	fill    stages Count blocks and commits them together
//	commit  stages one block and commits it, again and again, from Offset on
//	read    reads Count bytes from places all over the filled part, which is Offset bytes long
//	latest  asks for the latest snapshot
func benchVolume(ctx context.Context, volume lode.Volume, r request) (any, error) {
	block := make([]byte, r.Volume.BlockLen)
	_, _ = rand.Read(block)
	head := lode.VolumeSnapshotID(r.ID)
	random := uint64(88172645463325252)
	start := time.Now()
	switch r.Work {
	case "fill":
		refs := make([]lode.BlockRef, 0, r.Volume.Count)
		for i := range r.Volume.Count {
			ref, err := volume.StageWriteAt(ctx, r.Volume.Offset+i*r.Volume.BlockLen, bytes.NewReader(block))
			if err != nil {
				return nil, err
			}
			refs = append(refs, ref)
		}
		snapshot, err := volume.Commit(ctx, refs, nil)
		if err != nil {
			return nil, err
		}
		head = snapshot.ID
	case "commit":
		for i := range int64(r.Iterations) {
			binary.LittleEndian.PutUint64(block, uint64(i))
			ref, err := volume.StageWriteAt(ctx, r.Volume.Offset+i*r.Volume.BlockLen, bytes.NewReader(block))
			if err != nil {
				return nil, err
			}
			snapshot, err := volume.Commit(ctx, []lode.BlockRef{ref}, nil)
			if err != nil {
				return nil, err
			}
			head = snapshot.ID
		}
	case "read":
		for range r.Iterations {
			random ^= random << 13
			random ^= random >> 7
			random ^= random << 17
			offset := int64(random % uint64(r.Volume.Offset-r.Volume.Count))
			if _, err := volume.ReadAt(ctx, head, offset, r.Volume.Count); err != nil {
				return nil, err
			}
		}
	case "latest":
		for range r.Iterations {
			if _, err := volume.Latest(ctx); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("unknown work %q", r.Work)
	}
	elapsed := time.Since(start).Nanoseconds()
	return map[string]any{"nanoseconds": elapsed, "id": string(head)}, nil
}
