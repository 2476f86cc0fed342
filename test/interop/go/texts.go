package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"path"
	"strings"

	"github.com/pithecene-io/lode/lode"
)

// textVectors show, value by value, the text the library makes of it in the three places where text is a format.
type textVectors struct {
	Library    string       `json:"library"`
	Partitions []textVector `json:"partitions"`
	Lines      []textVector `json:"lines"`
	Metadata   []textVector `json:"metadata"`
}

// textVector is a tagged value and its text, or the failure it met.
type textVector struct {
	Value any      `json:"value"`
	Text  *string  `json:"text,omitempty"`
	Error *failure `json:"error,omitempty"`
}

func recordTexts() (*textVectors, error) {
	texts := &textVectors{Library: library}
	for _, value := range hostileValues() {
		texts.Partitions = append(texts.Partitions, textOf(value, partitionText))
	}
	for _, value := range textValues() {
		texts.Lines = append(texts.Lines, textOf(value, lineText))
		texts.Metadata = append(texts.Metadata, textOf(value, metadataText))
	}
	return texts, nil
}

func textOf(value any, write func(any) (string, error)) textVector {
	vector := textVector{Value: toTagged(value)}
	text, err := write(value)
	if err != nil {
		vector.Error = failureOf(err)
		return vector
	}
	vector.Text = &text
	return vector
}

// partitionText is the path component "k=..." under which a record with that value is stored. The codec is a stub that
// stores nothing, so that values no codec takes still show their path.
func partitionText(value any) (string, error) {
	store := lode.NewMemory()
	dataset, err := lode.NewDataset("d", func() (lode.Store, error) { return store, nil }, lode.WithHiveLayout("k"), lode.WithCodec(silentCodec{}))
	if err != nil {
		return "", err
	}
	snapshot, err := dataset.Write(context.Background(), []any{map[string]any{"k": value}}, nil)
	if err != nil {
		return "", err
	}
	inner, found := strings.CutPrefix(snapshot.Manifest.Files[0].Path, "datasets/d/partitions/")
	if !found {
		return "", fmt.Errorf("unexpected path %s", snapshot.Manifest.Files[0].Path)
	}
	return strings.TrimSuffix(inner, path.Join("/segments", string(snapshot.ID), "data/data")), nil
}

// lineText is the JSONL line of a record that is just this value.
func lineText(value any) (string, error) {
	var out bytes.Buffer
	if err := lode.NewJSONLCodec().Encode(&out, []any{value}); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// metadataText is what stands after "v": in the stored manifest.
func metadataText(value any) (string, error) {
	store := lode.NewMemory()
	ctx := context.Background()
	dataset, err := lode.NewDataset("d", func() (lode.Store, error) { return store, nil })
	if err != nil {
		return "", err
	}
	snapshot, err := dataset.Write(ctx, []any{[]byte{}}, lode.Metadata{"v": value})
	if err != nil {
		return "", err
	}
	manifest, err := readObject(ctx, store, fmt.Sprintf("datasets/d/snapshots/%s/manifest.json", snapshot.ID))
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(string(manifest), "    \"v\": ")
	text, _, _ := strings.Cut(rest, "\n  },\n  \"files\"")
	return text, nil
}

func textValues() values {
	list := values{nil, true, false, "", "plain", "\"\\/", "\b\f\n\r\t", "\x00\x01\x1e\x1f", "\x7f", "<a>&</a>", "\u2028\u2029", "é日本🦊",
		"a\xffb", "\xed\xa0\x80", 0.0, math.Copysign(0, -1), 1.0, -1.5, 0.1, 0.30000000000000004, 100000.0, 1e6, 123456789.0, 1e15, 1e16, 1e17, 123456789012345680.0,
		1e20, 1e21, 1.5e21, 1e22, 1e100, -1e100, math.MaxFloat64, 1e-5, 1e-6, 9.99e-7, 1e-7, 1.5e-7, 1e-8, 1e-9, 1e-10, 1e-99, 1e-100, 5e-324, math.NaN(),
		math.Inf(1), math.Inf(-1), float32(0.1), float32(1e-7), float32(1e21), float32(16777216), float32(3.4028235e38), int64(0), int64(-7),
		int64(math.MaxInt64), int64(math.MinInt64), int32(5), 7, []byte{}, []byte{1, 2}, []byte{0xfb, 0xff}, instant, instant.In(tokyo), []any{},
		[]any{1.0, nil, "x"}, map[string]any{}, map[string]any{"b": 1.0, "a": 2.0, "é": 3.0, "Z": 4.0, "10": 5.0, "9": 6.0, "": 7.0, "\u2028<": 8.0},
		map[string]any{"\U0001F98A": 1.0, "\uffee": 2.0}, map[string]any{"outer": map[string]any{"z": []any{map[string]any{"y": 1.0, "x": nil}}}}}
	for digits := 14; digits <= 16; digits++ {
		list = append(list, math.Pow(10, float64(digits))+1)
	}
	return list
}

// silentCodec writes nothing.
type silentCodec struct{ lode.Codec }

func (silentCodec) Name() string { return "silent" }

func (silentCodec) Encode(w io.Writer, _ []any) error { return nil }

// parquetFile is one file made by the Parquet codec alone.
type parquetFile struct {
	About       string      `json:"about"`
	Schema      []fieldSpec `json:"schema"`
	Compression string      `json:"compression"`
	Written     contents    `json:"written"`
	Decoded     contents    `json:"decoded"`
	Base64      string      `json:"base64"`
}

func recordParquetFiles() ([]parquetFile, error) {
	long := values{}
	for i := range 40000 {
		long = append(long, map[string]any{"i": int64(i % 7), "s": fmt.Sprint("v", i%5), "n": nil})
	}
	longSchema := []fieldSpec{{Name: "i", Type: "int64"}, {Name: "s", Type: "string"}, {Name: "n", Type: "float64", Nullable: true}}
	nulls := values{map[string]any{}, map[string]any{}, map[string]any{}}
	var nullable []fieldSpec
	for _, field := range everyTypeSchema() {
		nullable = append(nullable, fieldSpec{Name: field.Name, Type: field.Type, Nullable: true})
	}
	files := []parquetFile{
		{About: "no rows: no row group at all", Schema: everyTypeSchema(), Compression: "snappy"},
		{About: "every nullable column null in every row", Schema: nullable, Compression: "snappy", Written: contents{Records: nulls}},
		{About: "several pages in each column", Schema: longSchema, Compression: "gzip", Written: contents{Records: long}},
	}
	for i := range files {
		if err := files[i].fill(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (f *parquetFile) fill() error {
	codec, err := parquetCodec(datasetSpec{Schema: f.Schema, ParquetCompression: f.Compression})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := codec.Encode(&out, f.Written.Records); err != nil {
		return err
	}
	decoded, err := codec.Decode(bytes.NewReader(out.Bytes()))
	if err != nil {
		return err
	}
	f.Written, f.Decoded = contentsOf(f.Written.Records), contentsOf(decoded)
	f.Base64 = base64.StdEncoding.EncodeToString(out.Bytes())
	return nil
}
