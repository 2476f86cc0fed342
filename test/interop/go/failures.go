package main

import (
	"context"
	"errors"

	"github.com/pithecene-io/lode/lode"
)

// failure is an error as it crosses the pipe: the name of the sentinel it matches ("" for a plain error) and its text.
type failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

var sentinels = []struct {
	name string
	err  error
}{
	{"ErrNotFound", lode.ErrNotFound},
	{"ErrNoSnapshots", lode.ErrNoSnapshots},
	{"ErrNoManifests", lode.ErrNoManifests},
	{"ErrPathExists", lode.ErrPathExists},
	{"ErrInvalidPath", lode.ErrInvalidPath},
	{"ErrDatasetsNotModeled", lode.ErrDatasetsNotModeled},
	{"ErrManifestInvalid", lode.ErrManifestInvalid},
	{"ErrCodecConfigured", lode.ErrCodecConfigured},
	{"ErrCodecNotStreamable", lode.ErrCodecNotStreamable},
	{"ErrNilIterator", lode.ErrNilIterator},
	{"ErrPartitioningNotSupported", lode.ErrPartitioningNotSupported},
	{"ErrSnapshotConflict", lode.ErrSnapshotConflict},
	{"ErrRangeMissing", lode.ErrRangeMissing},
	{"ErrOverlappingBlocks", lode.ErrOverlappingBlocks},
	{"ErrSchemaViolation", lode.ErrSchemaViolation},
	{"ErrInvalidFormat", lode.ErrInvalidFormat},
	{"ErrRangeReadNotSupported", lode.ErrRangeReadNotSupported},
	{"ErrOptionNotValidForDatasetReader", lode.ErrOptionNotValidForDatasetReader},
	{"ErrOptionNotValidForVolume", lode.ErrOptionNotValidForVolume},
	{"ErrOptionNotValidForDataset", lode.ErrOptionNotValidForDataset},
	{"Canceled", context.Canceled},
	{"DeadlineExceeded", context.DeadlineExceeded},
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	for _, known := range sentinels {
		if errors.Is(err, known.err) {
			return &failure{Name: known.name, Message: err.Error()}
		}
	}
	return &failure{Message: err.Error()}
}
