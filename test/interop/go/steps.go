package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/pithecene-io/lode/lode"
)

// stepsSpec is one write whose storage calls a test takes in hand.
type stepsSpec struct {
	datasetSpec
	writeSpec
}

// stepLine announces a call that is about to happen, or how the write ended.
type stepLine struct {
	Step   string         `json:"step,omitempty"`
	Key    string         `json:"key,omitempty"`
	Done   *snapshotFacts `json:"done,omitempty"`
	Failed *failure       `json:"failed,omitempty"`
}

// writeInSteps commits once and, before each call that changes the directory ("data", "pointer", "manifest"), says so and
// waits for a line on stdin. That holds a real Go writer still between its pointer and its manifest for as long as a test
// likes. Once stdin closes, it runs on without waiting.
func writeInSteps(spec stepsSpec, in io.Reader, out io.Writer) error {
	inner, err := lode.NewFS(spec.Root)
	if err != nil {
		return err
	}
	say, lines := json.NewEncoder(out), bufio.NewReader(in)
	announce := func(step, key string) error {
		if err := say.Encode(stepLine{Step: step, Key: key}); err != nil {
			return err
		}
		_, _ = lines.ReadString('\n')
		return nil
	}
	store := &hookedStore{
		Store: inner,
		beforePut: func(key string) error {
			if strings.HasSuffix(key, "/manifest.json") {
				return announce("manifest", key)
			}
			return announce("data", key)
		},
		beforeCAS: func(key, _, _ string) error { return announce("pointer", key) },
	}
	dataset, err := openDataset(spec.datasetSpec, store)
	if err != nil {
		return err
	}
	snapshot, err := commit(context.Background(), dataset, spec.writeSpec)
	if err != nil {
		return say.Encode(stepLine{Failed: failureOf(err)})
	}
	facts := factsOf(snapshot)
	return say.Encode(stepLine{Done: &facts})
}
