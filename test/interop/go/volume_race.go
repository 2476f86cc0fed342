package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/pithecene-io/lode/lode"
)

// volumeRaceSpec asks for Commits commits of one block each: every Stride-th block of Block bytes, from the First-th on.
// Racers with the same Stride and different First never overlap.
type volumeRaceSpec struct {
	volumeSpec
	Commits int64  `json:"commits"`
	Block   int64  `json:"block"`
	First   int64  `json:"first"`
	Stride  int64  `json:"stride"`
	Writer  string `json:"writer"`
}

// volumeRaceLine is one line of output: a block whose commit was acknowledged, a commit given up, or the end.
type volumeRaceLine struct {
	Acked  string   `json:"acked,omitempty"`
	Offset int64    `json:"offset"`
	Failed *failure `json:"failed,omitempty"`
	Done   bool     `json:"done,omitempty"`
}

// raceVolume starts at the first line on stdin. A commit that fails is tried again with the same block, as long as the head
// does not have it: the library says that a block is there already with a plain error.
func raceVolume(spec volumeRaceSpec, in io.Reader, out io.Writer) error {
	volume, err := openVolume(spec.volumeSpec, nil)
	if err != nil {
		return err
	}
	say := json.NewEncoder(out)
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return say.Encode(volumeRaceLine{Done: true})
	}
	ctx := context.Background()
	for n := range spec.Commits {
		offset := (spec.First + n*spec.Stride) * spec.Block
		block, err := volume.StageWriteAt(ctx, offset, bytes.NewReader(placed(offset, spec.Block)))
		if err != nil {
			return err
		}
		for range 100 {
			snapshot, err := volume.Commit(ctx, []lode.BlockRef{block}, lode.Metadata{"writer": spec.Writer})
			if err == nil {
				if err := say.Encode(volumeRaceLine{Acked: string(snapshot.ID), Offset: offset}); err != nil {
					return err
				}
				break
			}
			if err := say.Encode(volumeRaceLine{Offset: offset, Failed: failureOf(err)}); err != nil {
				return err
			}
			head, err := volume.Latest(ctx)
			if err != nil && !errors.Is(err, lode.ErrNoSnapshots) {
				continue
			}
			if err == nil && holds(head, block) {
				break
			}
		}
	}
	return say.Encode(volumeRaceLine{Done: true})
}

func holds(snapshot *lode.VolumeSnapshot, block lode.BlockRef) bool {
	for _, there := range snapshot.Manifest.Blocks {
		if there.Offset == block.Offset {
			return true
		}
	}
	return false
}

// placed are bytes that tell where they are; the tests make the same.
func placed(offset, length int64) []byte {
	data := make([]byte, length)
	for i := range data {
		at := offset + int64(i)
		data[i] = byte(at*7 + at>>8)
	}
	return data
}
