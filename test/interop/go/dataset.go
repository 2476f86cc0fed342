package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pithecene-io/lode/lode"
)

// datasetSpec says which dataset to open and how. Empty members mean the library's defaults.
type datasetSpec struct {
	Root               string      `json:"root,omitempty"`
	S3                 *bucketSpec `json:"s3,omitempty"`
	Dataset            string      `json:"dataset"`
	Layout             string      `json:"layout,omitempty"`
	Keys               []string    `json:"keys,omitempty"`
	Codec              string      `json:"codec,omitempty"`
	Schema             []fieldSpec `json:"schema,omitempty"`
	ParquetCompression string      `json:"parquetCompression,omitempty"`
	Compressor         string      `json:"compressor,omitempty"`
	Checksum           string      `json:"checksum,omitempty"`
	Retry              *retrySpec  `json:"retry,omitempty"`
}

type fieldSpec struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable,omitempty"`
}

// retrySpec leaves the library's default wherever a member is absent.
type retrySpec struct {
	Count  *int     `json:"count,omitempty"`
	BaseMs *float64 `json:"baseMs,omitempty"`
	MaxMs  *float64 `json:"maxMs,omitempty"`
	Jitter *float64 `json:"jitter,omitempty"`
}

var parquetTypes = map[string]lode.ParquetType{
	"int32":     lode.ParquetInt32,
	"int64":     lode.ParquetInt64,
	"float32":   lode.ParquetFloat32,
	"float64":   lode.ParquetFloat64,
	"string":    lode.ParquetString,
	"bool":      lode.ParquetBool,
	"bytes":     lode.ParquetBytes,
	"timestamp": lode.ParquetTimestamp,
}

var parquetCompressions = map[string]lode.ParquetCompression{
	"none":   lode.ParquetCompressionNone,
	"snappy": lode.ParquetCompressionSnappy,
	"gzip":   lode.ParquetCompressionGzip,
}

// openDataset opens the dataset in the store, or, without one, in the bucket or directory the spec names.
func openDataset(spec datasetSpec, store lode.Store) (lode.Dataset, error) {
	var options []lode.Option
	add := func(option lode.Option, err error) error {
		if err == nil && option != nil {
			options = append(options, option)
		}
		return err
	}
	if err := add(layoutOption(spec)); err != nil {
		return nil, err
	}
	if err := add(codecOption(spec)); err != nil {
		return nil, err
	}
	if err := add(compressorOption(spec.Compressor)); err != nil {
		return nil, err
	}
	switch spec.Checksum {
	case "", "none":
	case "md5":
		options = append(options, lode.WithChecksum(lode.NewMD5Checksum()))
	default:
		return nil, fmt.Errorf("unknown checksum %q", spec.Checksum)
	}
	options = append(options, retryOptions(spec.Retry)...)
	return lode.NewDataset(lode.DatasetID(spec.Dataset), storeFactory(spec, store), options...)
}

func openReader(spec datasetSpec, store lode.Store) (lode.DatasetReader, error) {
	option, err := layoutOption(spec)
	if err != nil {
		return nil, err
	}
	if option == nil {
		return lode.NewDatasetReader(storeFactory(spec, store))
	}
	return lode.NewDatasetReader(storeFactory(spec, store), option)
}

func storeFactory(spec datasetSpec, store lode.Store) lode.StoreFactory {
	if store != nil {
		return func() (lode.Store, error) { return store, nil }
	}
	if spec.S3 != nil {
		return func() (lode.Store, error) { return bucketStore(*spec.S3) }
	}
	return lode.NewFSFactory(spec.Root)
}

func layoutOption(spec datasetSpec) (lode.Option, error) {
	switch spec.Layout {
	case "", "default":
		return nil, nil
	case "flat":
		return lode.WithLayout(lode.NewFlatLayout()), nil
	case "hive":
		return lode.WithHiveLayout(spec.Keys...), nil
	}
	return nil, fmt.Errorf("unknown layout %q", spec.Layout)
}

func codecOption(spec datasetSpec) (lode.Option, error) {
	switch spec.Codec {
	case "", "none":
		return nil, nil
	case "jsonl":
		return lode.WithCodec(lode.NewJSONLCodec()), nil
	case "parquet":
		codec, err := parquetCodec(spec)
		if err != nil {
			return nil, err
		}
		return lode.WithCodec(codec), nil
	}
	return nil, fmt.Errorf("unknown codec %q", spec.Codec)
}

func parquetCodec(spec datasetSpec) (lode.Codec, error) {
	var schema lode.ParquetSchema
	for _, field := range spec.Schema {
		kind, ok := parquetTypes[field.Type]
		if !ok {
			return nil, fmt.Errorf("unknown Parquet type %q", field.Type)
		}
		schema.Fields = append(schema.Fields, lode.ParquetField{Name: field.Name, Type: kind, Nullable: field.Nullable})
	}
	if spec.ParquetCompression == "" {
		return lode.NewParquetCodec(schema)
	}
	compression, ok := parquetCompressions[spec.ParquetCompression]
	if !ok {
		return nil, fmt.Errorf("unknown Parquet compression %q", spec.ParquetCompression)
	}
	return lode.NewParquetCodec(schema, lode.WithParquetCompression(compression))
}

func compressorOption(name string) (lode.Option, error) {
	switch name {
	case "":
		return nil, nil
	case "noop":
		return lode.WithCompressor(lode.NewNoOpCompressor()), nil
	case "gzip":
		return lode.WithCompressor(lode.NewGzipCompressor()), nil
	case "zstd":
		return lode.WithCompressor(lode.NewZstdCompressor()), nil
	}
	return nil, fmt.Errorf("unknown compressor %q", name)
}

func retryOptions(spec *retrySpec) []lode.Option {
	var options []lode.Option
	if spec == nil {
		return nil
	}
	if spec.Count != nil {
		options = append(options, lode.WithRetryCount(*spec.Count))
	}
	if spec.BaseMs != nil {
		options = append(options, lode.WithRetryBaseDelay(milliseconds(*spec.BaseMs)))
	}
	if spec.MaxMs != nil {
		options = append(options, lode.WithRetryMaxDelay(milliseconds(*spec.MaxMs)))
	}
	if spec.Jitter != nil {
		options = append(options, lode.WithRetryJitter(*spec.Jitter))
	}
	return options
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// writeSpec is one commit. Mode "stream" sends each element of Records, which must be bytes, as one chunk.
type writeSpec struct {
	Mode     string  `json:"mode,omitempty"`
	Records  values  `json:"records"`
	Metadata members `json:"metadata"`
	Stamped  bool    `json:"stamped,omitempty"`
}

func commit(ctx context.Context, dataset lode.Dataset, spec writeSpec) (*lode.DatasetSnapshot, error) {
	records := []any(spec.Records)
	if spec.Stamped {
		records = stamp(records)
	}
	metadata := lode.Metadata(spec.Metadata)
	switch spec.Mode {
	case "", "write":
		return dataset.Write(ctx, records, metadata)
	case "stream-records":
		return dataset.StreamWriteRecords(ctx, &sliceIterator{records: records}, metadata)
	case "stream":
		return commitStream(ctx, dataset, records, metadata)
	}
	return nil, fmt.Errorf("unknown mode %q", spec.Mode)
}

func commitStream(ctx context.Context, dataset lode.Dataset, chunks []any, metadata lode.Metadata) (*lode.DatasetSnapshot, error) {
	stream, err := dataset.StreamWrite(ctx, metadata)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	for _, chunk := range chunks {
		data, ok := chunk.([]byte)
		if !ok {
			return nil, fmt.Errorf("a streamed chunk must be bytes, got %T", chunk)
		}
		if _, err := stream.Write(data); err != nil {
			return nil, err
		}
	}
	return stream.Commit(ctx)
}

// sliceIterator gives a list to StreamWriteRecords.
type sliceIterator struct {
	records []any
	next    int
}

func (it *sliceIterator) Next() bool {
	it.next++
	return it.next <= len(it.records)
}

func (it *sliceIterator) Record() any { return it.records[it.next-1] }

func (it *sliceIterator) Err() error { return nil }
