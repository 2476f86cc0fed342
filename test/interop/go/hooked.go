package main

import (
	"context"
	"io"

	"github.com/pithecene-io/lode/lode"
)

// hookedStore lets a probe or a test step in before and after the calls of a commit. It forwards compare-and-swap, without which the
// library would silently take its unsafe way.
type hookedStore struct {
	lode.Store
	beforePut func(key string) error
	afterPut  func(key string, err error) error
	beforeCAS func(key, expected, replacement string) error
}

func (s *hookedStore) Put(ctx context.Context, key string, body io.Reader) error {
	if s.beforePut != nil {
		if err := s.beforePut(key); err != nil {
			return err
		}
	}
	err := s.Store.Put(ctx, key, body)
	if s.afterPut != nil {
		err = s.afterPut(key, err)
	}
	return err
}

func (s *hookedStore) CompareAndSwap(ctx context.Context, key, expected, replacement string) error {
	if s.beforeCAS != nil {
		if err := s.beforeCAS(key, expected, replacement); err != nil {
			return err
		}
	}
	return s.Store.(lode.ConditionalWriter).CompareAndSwap(ctx, key, expected, replacement)
}
