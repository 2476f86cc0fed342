package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/pithecene-io/lode/lode"
)

func compressed(c lode.Compressor, chunks ...[]byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := c.Compress(&out)
	if err != nil {
		return nil, err
	}
	for _, chunk := range chunks {
		if _, err := w.Write(chunk); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func expanded(c lode.Compressor, data []byte) ([]byte, error) {
	r, err := c.Decompress(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(r)
}

func probeCompressedBytes(p *prober) error {
	for _, c := range []lode.Compressor{lode.NewGzipCompressor(), lode.NewZstdCompressor()} {
		for _, n := range []int{0, 1, 11, 255, 256, 65536, 1<<17 - 1, 1 << 17, 1 << 20} {
			data := []byte(strings.Repeat("hello world", n/11+1))[:n]
			whole, err := compressed(c, data)
			if err != nil {
				return err
			}
			halves, err := compressed(c, data[:n/2], data[n/2:])
			if err != nil {
				return err
			}
			p.say("%s of %d bytes: %d bytes, begins %s; written in two halves the same: %t", c.Name(), n, len(whole),
				hex.EncodeToString(whole[:min(len(whole), 28)]), bytes.Equal(whole, halves))
		}
	}
	return nil
}

func probeDecompression(p *prober) error {
	gzip, zstd := lode.NewGzipCompressor(), lode.NewZstdCompressor()
	for _, c := range []lode.Compressor{gzip, zstd} {
		whole, err := compressed(c, []byte("hello world"))
		if err != nil {
			return err
		}
		flipped := bytes.Clone(whole)
		flipped[len(flipped)-2] ^= 0x40
		inputs := []struct {
			what string
			data []byte
		}{
			{"zero bytes", nil}, {"two in a row", append(bytes.Clone(whole), whole...)}, {"followed by junk", append(bytes.Clone(whole), "junk"...)},
			{"followed by zeros", append(bytes.Clone(whole), make([]byte, 8)...)}, {"cut by one byte", whole[:len(whole)-1]},
			{"cut to half", whole[:len(whole)/2]}, {"checksum bit flipped", flipped}, {"plain text", []byte("hello world")},
		}
		if c.Name() == "zstd" {
			skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'h', 'i'}, whole...)
			inputs = append(inputs, struct {
				what string
				data []byte
			}{"after a skippable frame", skippable})
		}
		for _, input := range inputs {
			out, err := expanded(c, input.data)
			p.say("%s, %s: %d bytes out, %s", c.Name(), input.what, len(out), said(err))
		}
	}
	return nil
}

func probeLines(p *prober) error {
	inputs := []string{"", "\n", "\n\n1\n", "1", "1\r\n2\r\n", "\r\n", " \n", "\t1 \n", "1 2\n", "{}{}\n", "1,\n", "\ufeff1\n", "01\n", "+1\n", ".5\n", "1.\n", "-\n", "-0\n",
		"1e400\n", "1e-400\n", "12345678901234567890\n", "9007199254740993\n", "NaN\n", "'a'\n", "\"\x01\"\n", "\"\t\"\n", "\"\xff\"\n", "\"\\ud800\"\n", "\"\\udc00\\ud800\"\n",
		"\"\\x41\"\n", "\"\\u00e9\\/\"\n", "{\"a\":1,\"a\":2}\n", "{\"a\":1,}\n", "[1,]\n", "{a:1}\n", "{\"__proto__\":1}\n", "nul\n", "null\n", "TRUE\n", "// c\n", "{\"a\":1}x\n", "\x00\n",
		strings.Repeat("[", 9999) + strings.Repeat("]", 9999), strings.Repeat("[", 10001) + strings.Repeat("]", 10001)}
	for _, input := range inputs {
		records, err := lode.NewJSONLCodec().Decode(strings.NewReader(input))
		shown := input
		if len(shown) > 40 {
			shown = fmt.Sprintf("%s... (%d bytes)", shown[:3], len(input))
			records = nil
		}
		p.say("%q: %q, %s", shown, fmt.Sprint(records), short(said(err)))
	}
	return nil
}

func short(text string) string {
	if len(text) > 150 {
		return text[:150] + "..."
	}
	return text
}

func probeLineLimit(p *prober) error {
	const limit = 10 * 1024 * 1024
	for _, length := range []int{limit - 2, limit - 1, limit, limit + 1} {
		for _, end := range []string{"\n", "", "\r\n"} {
			line := `"` + strings.Repeat("x", length-2) + `"`
			records, err := lode.NewJSONLCodec().Decode(strings.NewReader(line + end))
			p.say("a line of %d bytes, ended by %q: %d records, %s", length, end, len(records), said(err))
		}
	}
	return nil
}

// goodManifest is a manifest with one member after another replaced by the probe below.
const goodManifest = `{"schema_name":"s","format_version":"1","dataset_id":"d","snapshot_id":"1","created_at":"2026-01-02T03:04:05Z",
"metadata":{},"files":[],"row_count":0,"compressor":"noop","partitioner":"noop"}`

func probeManifests(p *prober) error {
	swap := func(old, replacement string) string { return strings.Replace(goodManifest, old, replacement, 1) }
	inputs := []string{goodManifest, "", " ", "null", "[]", "{}", goodManifest + "junk", goodManifest + goodManifest, "\ufeff" + goodManifest, goodManifest[:60],
		swap(`"row_count":0`, `"row_count":1.0`), swap(`"row_count":0`, `"row_count":1e3`), swap(`"row_count":0`, `"row_count":"1"`), swap(`"row_count":0`, `"row_count":null`),
		swap(`"row_count":0`, `"row_count":9223372036854775807`), swap(`"row_count":0`, `"row_count":9223372036854775808`), swap(`"row_count":0`, `"row_count":-1`),
		swap(`"row_count":0,`, ``), swap(`"row_count":0`, `"ROW_COUNT":7`), swap(`"row_count":0`, `"row_count":1,"row_count":2`), swap(`"row_count":0`, `"row_count":0,"unknown":[1e400]`),
		swap(`"row_count":0`, `"row_count":0,"unknown":1e400x`), swap(`"metadata":{}`, `"metadata":null`), swap(`"metadata":{}`, `"metadata":[]`), swap(`"metadata":{}`, `"metadata":{"a":1e400}`),
		swap(`"metadata":{}`, `"metadata":{"a":9007199254740993,"__proto__":{"x":1},"a b":"\ud800"}`), swap(`"metadata":{}`, `"metadata":{"a":1},"metadata":{"b":2}`),
		swap(`"files":[]`, `"files":null`), swap(`"files":[]`, `"files":{}`), swap(`"files":[]`, `"files":[null]`), swap(`"files":[]`, `"files":[{"path":"p"}]`),
		swap(`"files":[]`, `"files":[{"path":"p","size_bytes":-1}]`), swap(`"files":[]`, `"files":[{"path":"p","stats":{"columns":[{"min":{"a":[1]}}]}}]`), swap(`"snapshot_id":"1"`, `"snapshot_id":1`),
		swap(`"snapshot_id":"1"`, `"snapshot_id":"other"`), swap(`"dataset_id":"d"`, `"dataset_id":"other"`), swap(`"compressor":"noop"`, `"compressor":"anything"`)}
	for _, text := range []string{"", "2026-01-02T03:04:05z", "2026-01-02t03:04:05Z", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.123456789123Z", "2026-01-02T03:04:60Z",
		"2026-02-30T03:04:05Z", "2026-01-02T24:00:00Z", "2026-1-2T03:04:05Z", "2026-01-02T3:04:05Z", "2026-01-02T03:04:05+0900", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05-00:00", "0001-01-01T00:00:00Z", "0001-01-01T09:00:00+09:00", "2026-01-02T03:04:05.Z"} {
		inputs = append(inputs, swap("2026-01-02T03:04:05Z", text))
	}
	inputs = append(inputs, swap(`"2026-01-02T03:04:05Z"`, "null"), swap(`"2026-01-02T03:04:05Z"`, "1"), "{"+strings.Repeat(`"x":{`, 9998)+strings.Repeat("}", 9998)+"}", "{"+strings.Repeat(`"x":{`, 10000)+strings.Repeat("}", 10000)+"}")
	for _, input := range inputs {
		store := lode.NewMemory()
		if err := store.Put(p.ctx, "datasets/d/snapshots/1/manifest.json", strings.NewReader(input)); err != nil {
			return err
		}
		reader, err := lode.NewDatasetReader(func() (lode.Store, error) { return store, nil })
		if err != nil {
			return err
		}
		manifest, err := reader.GetManifest(p.ctx, "d", lode.ManifestRef{ID: "1"})
		facts := ""
		if err == nil {
			facts = fmt.Sprintf(", row_count %d, created %s, metadata %v", manifest.RowCount, manifest.CreatedAt.Format(time.RFC3339Nano), manifest.Metadata)
		}
		p.say("%s: %s%s", differing(input), short(said(err)), facts)
	}
	return nil
}

// differing shows where a manifest differs from the good one.
func differing(input string) string {
	if len(input) > 2*len(goodManifest)+10 {
		return fmt.Sprintf("%.10s... (%d bytes)", input, len(input))
	}
	from := 0
	for from < min(len(input), len(goodManifest)) && input[from] == goodManifest[from] {
		from++
	}
	to := 0
	for to < min(len(input), len(goodManifest))-from && input[len(input)-1-to] == goodManifest[len(goodManifest)-1-to] {
		to++
	}
	start := max(0, strings.LastIndex(input[:min(from+1, len(input))], ",")+1)
	return fmt.Sprintf("%.90q", input[start:min(len(input), len(input)-to+8)])
}

// Whether decoded byte values share memory that later rows overwrite: many rows, each with its own content, compared at
// the end; then one value is written to and its neighbours are looked at.
func probeParquetAliasing(p *prober) error {
	for _, compression := range []string{"none", "snappy", "gzip"} {
		codec, err := parquetCodec(datasetSpec{Schema: []fieldSpec{{Name: "raw", Type: "bytes"}, {Name: "text", Type: "string"}}, ParquetCompression: compression})
		if err != nil {
			return err
		}
		var records []any
		for i := range 20000 {
			text := fmt.Sprintf("value-%06d-%s", i, strings.Repeat("x", i%50))
			records = append(records, map[string]any{"raw": []byte(text), "text": text})
		}
		var file bytes.Buffer
		if err := codec.Encode(&file, records); err != nil {
			return err
		}
		decoded, err := codec.Decode(bytes.NewReader(file.Bytes()))
		if err != nil {
			return err
		}
		wrongBytes, wrongTexts := 0, 0
		for i, record := range decoded {
			written, read := records[i].(map[string]any), record.(map[string]any)
			if !bytes.Equal(written["raw"].([]byte), read["raw"].([]byte)) {
				wrongBytes++
			}
			if written["text"] != read["text"] {
				wrongTexts++
			}
		}
		first, second := decoded[0].(map[string]any)["raw"].([]byte), decoded[1].(map[string]any)["raw"].([]byte)
		_ = append(first, "OVERWRITTEN"...)
		p.say("%s: of %d rows read back, %d byte values and %d texts wrong; spare capacity of the first value %d; appending to it changes the second: %t",
			compression, len(decoded), wrongBytes, wrongTexts, cap(first)-len(first), !bytes.Equal(second, records[1].(map[string]any)["raw"].([]byte)))
	}
	return nil
}

func probeParquetValues(p *prober) error {
	far := time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)
	inputs := []struct {
		kind  string
		value any
	}{
		{"int32", 3e9}, {"int32", 42.5}, {"int32", math.NaN()}, {"int32", math.Inf(1)}, {"int32", int64(1)}, {"int32", float32(1)}, {"int32", "1"}, {"int32", uint8(1)}, {"int64", 1e18}, {"int64", float64(1 << 53)},
		{"int64", float64(1<<53) + 2}, {"int64", int64(math.MaxInt64)}, {"float32", 1e300}, {"float32", 1}, {"float64", math.NaN()}, {"float64", math.Inf(-1)}, {"float64", float32(0.1)}, {"string", []byte("x")},
		{"string", "\xff"}, {"bytes", "\xff"}, {"bytes", []byte{}}, {"bool", 1.0}, {"timestamp", "2024-01-01T10:00:00,5Z"}, {"timestamp", "2024-01-01"}, {"timestamp", far}, {"timestamp", "0001-01-01T00:00:00Z"},
		{"timestamp", 1.0}, {"timestamp", "2024-01-01T10:00:00.1234567891Z"}, {"string", nil},
	}
	for _, input := range inputs {
		store := lode.NewMemory()
		codec, err := parquetCodec(datasetSpec{Schema: []fieldSpec{{Name: "v", Type: input.kind}}})
		if err != nil {
			return err
		}
		dataset, err := open(store, lode.WithCodec(codec))
		if err != nil {
			return err
		}
		snapshot, err := dataset.Write(p.ctx, []any{map[string]any{"v": input.value}}, nil)
		pointer, _ := readObject(p.ctx, store, "datasets/d/latest")
		if err != nil {
			p.say("%s <- %T %v: %s; pointer moved: %t", input.kind, input.value, input.value, short(said(err)), len(pointer) > 0)
			continue
		}
		records, err := dataset.Read(p.ctx, snapshot.ID)
		column := snapshot.Manifest.Files[0].Stats.Columns[0]
		p.say("%s <- %T %v: read back %v, min %v, %s", input.kind, input.value, input.value, records, column.Min, said(err))
	}
	empty, err := parquetCodec(datasetSpec{})
	if err != nil {
		return err
	}
	p.say("a schema without fields: encode %s", said(empty.Encode(io.Discard, []any{map[string]any{}})))
	return probeParquetNaN(p)
}

func probeParquetNaN(p *prober) error {
	for _, list := range [][]any{{math.NaN(), 1.0, 2.0}, {1.0, math.NaN(), 2.0}, {1.0, math.Inf(1)}, {math.Copysign(0, -1), 0.0}, {0.0, math.Copysign(0, -1)}} {
		codec, err := parquetCodec(datasetSpec{Schema: []fieldSpec{{Name: "v", Type: "float64"}}})
		if err != nil {
			return err
		}
		var records []any
		for _, v := range list {
			records = append(records, map[string]any{"v": v})
		}
		store := lode.NewMemory()
		dataset, err := open(store, lode.WithCodec(codec))
		if err != nil {
			return err
		}
		snapshot, err := dataset.Write(context.Background(), records, nil)
		if err != nil {
			p.say("statistics of %v: %s", list, said(err))
			continue
		}
		manifest, err := readObject(p.ctx, store, fmt.Sprintf("datasets/d/snapshots/%s/manifest.json", snapshot.ID))
		_, stats, _ := strings.Cut(string(manifest), `"name": "v",`)
		p.say("statistics of %v: %s %s", list, strings.Join(strings.Fields(stats[:min(60, len(stats))]), " "), said(err))
	}
	return nil
}

// Who may write records that carry a timestamp.
func probeTimestamped(p *prober) error {
	record := stamped{"at": instant, "v": int64(1)}
	codec, err := parquetCodec(datasetSpec{Schema: []fieldSpec{{Name: "v", Type: "int64"}}})
	if err != nil {
		return err
	}
	setups := []struct {
		name    string
		options []lode.Option
	}{
		{"default layout, JSONL", nil}, {"hive, JSONL", []lode.Option{lode.WithHiveLayout("v")}}, {"default layout, Parquet", []lode.Option{lode.WithCodec(codec)}},
	}
	for _, setup := range setups {
		dataset, err := open(lode.NewMemory(), setup.options...)
		if err != nil {
			return err
		}
		_, writeErr := dataset.Write(p.ctx, []any{record}, nil)
		p.say("%s: a record with a timestamp method: %s", setup.name, said(writeErr))
	}
	return nil
}
