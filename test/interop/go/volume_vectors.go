package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/pithecene-io/lode/lode"
)

// Golden vectors of volumes, as those of datasets: written once and committed. test/vectors/volume/go-v0.9.0/README.md
// describes the members.

// volumeCommit is one commit of blocks, staged in this order by an instance with this checksum.
type volumeCommit struct {
	Checksum string       `json:"checksum,omitempty"`
	Blocks   []blockRange `json:"blocks"`
	Metadata members      `json:"metadata"`
}

type blockRange struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

type volumeCase struct {
	name    string
	about   string
	length  int64
	commits []volumeCommit
	// staged are never committed.
	staged []blockRange
	reads  []blockRange
}

type volumeVector struct {
	Case      string                  `json:"case"`
	About     string                  `json:"about"`
	Library   string                  `json:"library"`
	Volume    string                  `json:"volume"`
	Length    int64                   `json:"length"`
	Snapshots []volumeVectorSnapshot  `json:"snapshots"`
	Latest    outcome                 `json:"latest"`
	Objects   map[string]vectorObject `json:"objects"`
}

type volumeVectorSnapshot struct {
	ID       string               `json:"id"`
	Commit   volumeCommit         `json:"commit"`
	Manifest *lode.VolumeManifest `json:"manifest"`
	Reads    []volumeVectorRead   `json:"reads"`
}

type volumeVectorRead struct {
	blockRange
	Data  []byte   `json:"data,omitempty"`
	Error *failure `json:"error,omitempty"`
}

func volumeCases() []volumeCase {
	one := []blockRange{{0, 11}}
	return []volumeCase{
		{name: "plain", about: "one block without a checksum", length: 100, commits: []volumeCommit{{Blocks: one}},
			reads: []blockRange{{0, 11}, {3, 4}, {0, 12}, {11, 1}}},
		{name: "md5", about: "two blocks with a hole between them, in two commits", length: 100, commits: []volumeCommit{
			{Checksum: "md5", Blocks: []blockRange{{0, 10}}, Metadata: members{"step": "one", "note": "a<b & \u2028"}},
			{Checksum: "md5", Blocks: []blockRange{{50, 5}}, Metadata: members{"step": "two", "n": int64(7), "list": []any{1.5, nil}}},
		}, reads: []blockRange{{0, 10}, {50, 5}, {0, 55}, {5, 10}, {10, 40}}},
		{name: "whole", about: "three commits that fill it, staged out of order", length: 90, commits: []volumeCommit{
			{Checksum: "md5", Blocks: []blockRange{{60, 10}, {30, 10}, {50, 10}}},
			{Checksum: "md5", Blocks: []blockRange{{0, 30}}},
			{Checksum: "md5", Blocks: []blockRange{{70, 20}, {40, 10}}},
		}, reads: []blockRange{{0, 90}, {29, 2}, {35, 50}}},
		{name: "mixed", about: "instances with and without a checksum take turns: the algorithm is that of the last", length: 40, commits: []volumeCommit{
			{Checksum: "md5", Blocks: []blockRange{{0, 10}}},
			{Blocks: []blockRange{{10, 10}}},
			{Checksum: "md5", Blocks: []blockRange{{30, 10}}},
			{Blocks: []blockRange{{20, 10}}},
		}, reads: []blockRange{{0, 20}, {0, 40}}},
		{name: "staged", about: "a block that was never committed", length: 30, commits: []volumeCommit{
			{Checksum: "md5", Blocks: []blockRange{{0, 10}}},
		}, staged: []blockRange{{10, 10}}, reads: []blockRange{{0, 10}, {10, 10}}},
		{name: "far", about: "as long as a double can tell, written at both ends", length: 1<<53 - 1, commits: []volumeCommit{
			{Checksum: "md5", Blocks: []blockRange{{0, 1}, {1<<53 - 17, 16}}},
		}, reads: []blockRange{{1<<53 - 17, 16}, {1<<53 - 18, 16}}},
		{name: "too-long", about: "longer than a double can tell", length: math.MaxInt64, commits: []volumeCommit{
			{Checksum: "md5", Blocks: []blockRange{{1<<62 + 1, 16}}},
		}, reads: []blockRange{{1<<62 + 1, 16}}},
	}
}

func writeVolumeVectors(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range volumeCases() {
		vector, err := recordVolume(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := writeJSON(filepath.Join(dir, c.name+".json"), vector); err != nil {
			return err
		}
	}
	return nil
}

func recordVolume(c volumeCase) (*volumeVector, error) {
	ctx := context.Background()
	root, err := os.MkdirTemp("", "lode-vectors-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(root) }()
	vector := &volumeVector{Case: c.name, About: c.about, Library: library, Volume: "vol", Length: c.length}
	spec := volumeSpec{Root: root, Volume: vector.Volume, Length: c.length}
	for _, commit := range c.commits {
		spec.Checksum = commit.Checksum
		volume, err := openVolume(spec, nil)
		if err != nil {
			return nil, err
		}
		blocks, err := stageAll(ctx, volume, commit.Blocks)
		if err != nil {
			return nil, err
		}
		snapshot, err := volume.Commit(ctx, blocks, lode.Metadata(commit.Metadata))
		if err != nil {
			return nil, err
		}
		vector.Snapshots = append(vector.Snapshots, volumeVectorSnapshot{ID: string(snapshot.ID), Commit: commit})
	}
	fresh, err := openVolume(spec, nil)
	if err != nil {
		return nil, err
	}
	if _, err := stageAll(ctx, fresh, c.staged); err != nil {
		return nil, err
	}
	if vector.Objects, err = objectsUnder(root); err != nil {
		return nil, err
	}
	for i := range vector.Snapshots {
		if err := recordVolumeSnapshot(ctx, fresh, &vector.Snapshots[i], c.reads); err != nil {
			return nil, err
		}
	}
	head, err := fresh.Latest(ctx)
	vector.Latest = outcome{Error: failureOf(err)}
	if err == nil {
		vector.Latest.OK = string(head.ID)
	}
	return vector, nil
}

func stageAll(ctx context.Context, volume lode.Volume, ranges []blockRange) ([]lode.BlockRef, error) {
	var blocks []lode.BlockRef
	for _, r := range ranges {
		block, err := volume.StageWriteAt(ctx, r.Offset, bytes.NewReader(placed(r.Offset, r.Length)))
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func recordVolumeSnapshot(ctx context.Context, volume lode.Volume, facts *volumeVectorSnapshot, reads []blockRange) error {
	snapshot, err := volume.Snapshot(ctx, lode.VolumeSnapshotID(facts.ID))
	if err != nil {
		return err
	}
	facts.Manifest = snapshot.Manifest
	for _, r := range reads {
		data, err := volume.ReadAt(ctx, snapshot.ID, r.Offset, r.Length)
		facts.Reads = append(facts.Reads, volumeVectorRead{blockRange: r, Data: data, Error: failureOf(err)})
	}
	return nil
}
