package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var (
	instant = time.Date(2024, 1, 15, 10, 30, 0, 123456789, time.UTC)
	tokyo   = time.FixedZone("", 9*3600)
	ids64   = []int64{0, 9007199254740993, math.MinInt64}
)

// vectorCases are all dataset vectors: the full matrix first, then one case for each thing that has bitten somebody.
func vectorCases() []vectorCase {
	cases := matrixCases()
	cases = append(cases, emptyCases()...)
	cases = append(cases, hiveCases()...)
	return append(cases, singleCases()...)
}

func matrixCases() []vectorCase {
	var cases []vectorCase
	for _, layout := range []string{"default", "flat", "hive"} {
		for _, codec := range []string{"none", "jsonl", "parquet"} {
			if layout == "hive" && codec == "none" {
				continue // the library refuses it: a blob has no fields to partition by
			}
			for _, compressor := range []string{"noop", "gzip", "zstd"} {
				for _, checksum := range []string{"none", "md5"} {
					cases = append(cases, matrixCase(layout, codec, compressor, checksum))
				}
			}
		}
	}
	return cases
}

func matrixCase(layout, codec, compressor, checksum string) vectorCase {
	spec := datasetSpec{Dataset: "events", Layout: layout, Codec: codec, Compressor: compressor, Checksum: checksum}
	second := "write"
	var writes []writeSpec
	switch codec {
	case "none":
		writes = []writeSpec{
			{Records: values{[]byte("hello world")}, Metadata: members{"source": "demo", "note": "a<b"}},
			{Mode: "stream", Records: values{[]byte("chunk1"), []byte("-chunk2"), []byte{0, 1, 0xff}}},
		}
	case "jsonl":
		if layout != "hive" {
			second = "stream-records"
		}
		writes = []writeSpec{
			{Records: plainRecords(), Metadata: members{"step": int64(1)}},
			{Mode: second, Records: plainRecords()[:1]},
		}
	case "parquet":
		spec.Schema = everyTypeSchema()
		writes = []writeSpec{
			{Records: everyTypeRecords(), Metadata: members{"step": int64(1)}},
			{Records: everyTypeRecords()[1:2]},
		}
	}
	if layout == "hive" {
		spec.Keys = []string{"day", "region"}
	}
	name := strings.Join([]string{layout, codec, compressor, checksum}, "-")
	return vectorCase{name: name, about: "matrix: two commits by one instance", spec: spec, writes: writes}
}

func plainRecords() values {
	return values{
		map[string]any{"day": "2024-01-15", "region": "eu/west", "id": int64(1), "event": "login"},
		map[string]any{"day": "2024-01-16", "region": "us", "id": int64(2), "event": "<logout> & \u2028", "n": nil},
		map[string]any{"day": "2024-01-15", "region": "eu/west", "id": int64(3), "list": []any{1.5, true, "é"}},
	}
}

// everyTypeSchema declares its fields in an order that is not the files' order, which is by name.
func everyTypeSchema() []fieldSpec {
	return []fieldSpec{
		{Name: "region", Type: "string", Nullable: true}, {Name: "day", Type: "string"}, {Name: "i64", Type: "int64"},
		{Name: "i32", Type: "int32", Nullable: true}, {Name: "f64", Type: "float64"}, {Name: "f32", Type: "float32", Nullable: true},
		{Name: "ok", Type: "bool"}, {Name: "raw", Type: "bytes", Nullable: true}, {Name: "at", Type: "timestamp"},
	}
}

func everyTypeRecords() values {
	return values{
		map[string]any{"day": "2024-01-15", "region": "eu/west", "i64": ids64[0], "i32": int32(7), "f64": 0.1, "f32": float32(0.1),
			"ok": true, "raw": []byte{0, 1, 2}, "at": instant},
		map[string]any{"day": "2024-01-16", "region": "us", "i64": ids64[1], "i32": nil, "f64": math.Copysign(0, -1), "f32": 2.5,
			"ok": false, "raw": nil, "at": "2024-02-01T10:00:00.5+09:00", "extra": "dropped"},
		map[string]any{"day": "2024-01-15", "region": "eu/west", "i64": ids64[2], "i32": -1.0, "f64": math.MaxFloat64, "ok": true,
			"raw": "text as bytes é", "at": instant.Add(-time.Hour).In(tokyo)},
	}
}

func emptyCases() []vectorCase {
	var cases []vectorCase
	for _, compressor := range []string{"noop", "gzip", "zstd"} {
		cases = append(cases,
			vectorCase{name: "empty-blob-" + compressor, about: "a blob of zero bytes, written and streamed",
				spec:   datasetSpec{Dataset: "empty", Compressor: compressor, Checksum: "md5"},
				writes: []writeSpec{{Records: values{[]byte{}}}, {Mode: "stream", Records: values{}}}},
			vectorCase{name: "empty-stream-records-" + compressor, about: "a record stream that ends at once leaves one empty data file",
				spec:   datasetSpec{Dataset: "empty", Codec: "jsonl", Compressor: compressor, Checksum: "md5"},
				writes: []writeSpec{{Mode: "stream-records", Records: values{}}}})
	}
	schema := []fieldSpec{{Name: "id", Type: "int64"}}
	for _, spec := range []datasetSpec{
		{Dataset: "empty", Layout: "default", Codec: "jsonl"},
		{Dataset: "empty", Layout: "flat", Codec: "jsonl"},
		{Dataset: "empty", Layout: "hive", Keys: []string{"day"}, Codec: "jsonl"},
		{Dataset: "empty", Layout: "default", Codec: "parquet", Schema: schema},
	} {
		record := map[string]any{"id": int64(1), "day": "d"}
		cases = append(cases, vectorCase{name: "empty-write-" + spec.Layout + "-" + spec.Codec,
			about: "a write of no records commits files: null, between two writes with one record each", spec: spec,
			writes: []writeSpec{{Records: values{record}}, {Records: values{}}, {Records: values{record}}}})
	}
	return cases
}

// hostileValues covers the rows of the partition value tables, and more.
func hostileValues() values {
	list := values{"2024-01-15", "eu/west", "a b", "a=b&c", "u@h:1+2$", "it's (ok)!*", "é", "", nil, true, false, "a/b c&d",
		".", "..", "../..", "100%", "%2F", "a\\b", "\x00", "\n\t", "\x7f", "日本語", "🦊", "e\u0301", "#?;,", "[x]<y>\"z\"", "-_.~",
		"\xff\xfe", int64(0), int64(-7), int64(20240115), int64(math.MaxInt64), int32(5), 1, 0.0, math.Copysign(0, -1), 1.5, 100000.0,
		123456.0, 999999.0, 1000000.0, 1234567.0, 20240115.0, 0.0001, 0.00001, 1e20, 1e21, 1e100, 5e-324, 0.30000000000000004, float32(0.1),
		float32(16777216), math.NaN(), math.Inf(1), math.Inf(-1), []byte{1, 2, 3}, []byte{}, instant, instant.In(tokyo),
		time.Date(2024, 1, 15, 23, 30, 0, 0, time.FixedZone("", -5*3600)), time.Date(2024, 1, 15, 20, 0, 0, 0, time.UTC).In(tokyo),
		time.Date(12024, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 2, 0, 0, 0, 0, time.UTC), time.Time{},
		[]any{1.0, "a"}, map[string]any{"b": 1.0, "a": "x"}, strings.Repeat("x", 60)}
	return list
}

func hiveCases() []vectorCase {
	hostile := vectorCase{name: "hive-hostile-values", about: "one snapshot for each partition value that can be a file name",
		spec: datasetSpec{Dataset: "hostile", Layout: "hive", Keys: []string{"k"}, Codec: "jsonl"}}
	for i, value := range hostileValues() {
		record := map[string]any{"k": value, "n": int64(i)}
		if encodable(value) {
			hostile.writes = append(hostile.writes, writeSpec{Records: values{record}})
		}
	}
	keys := vectorCase{name: "hive-hostile-keys", about: "partition key names go into paths as they are",
		spec:   datasetSpec{Dataset: "keys", Layout: "hive", Keys: []string{"a b", "é", "x=y"}, Codec: "jsonl"},
		writes: []writeSpec{{Records: values{map[string]any{"a b": "1", "é": "2", "x=y": "3"}}}}}
	old := vectorCase{name: "hive-before-0.7.3", about: "aged: pointer and canonical manifests removed, as older versions left it",
		spec:   datasetSpec{Dataset: "old", Layout: "hive", Keys: []string{"day", "region"}, Codec: "jsonl", Compressor: "gzip"},
		writes: []writeSpec{{Records: plainRecords()}, {Records: plainRecords()[1:]}},
		after: func(root string, ids []string) error {
			for _, id := range ids {
				if err := os.RemoveAll(filepath.Join(root, "datasets/old/segments", id)); err != nil {
					return err
				}
			}
			return os.Remove(filepath.Join(root, "datasets/old/latest"))
		}}
	return []vectorCase{hostile, keys, old}
}

func encodable(value any) bool {
	if at, ok := value.(time.Time); ok {
		return at.Year() >= 0 && at.Year() <= 9999
	}
	number, ok := value.(float64)
	return !ok || !(math.IsNaN(number) || math.IsInf(number, 0))
}

func singleCases() []vectorCase {
	var chain []writeSpec
	for i := range 5 {
		chain = append(chain, writeSpec{Records: values{map[string]any{"n": int64(i)}}, Metadata: members{"n": int64(i)}})
	}
	var lines values
	for i := range 3000 {
		lines = append(lines, map[string]any{"id": int64(i), "message": "the quick brown fox jumps over the lazy dog"})
	}
	large := []byte(strings.Repeat("0123456789abcdef", 20000))
	at := func(text string) map[string]any {
		moment, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			panic(err)
		}
		return map[string]any{"at": moment}
	}
	cases := []vectorCase{
		{name: "chain", about: "five snapshots, each the parent of the next",
			spec: datasetSpec{Dataset: "chain", Codec: "jsonl", Compressor: "gzip", Checksum: "md5"}, writes: chain},
		{name: "metadata", about: "metadata of every kind",
			spec: datasetSpec{Dataset: "metadata"}, writes: []writeSpec{
				{Records: values{[]byte("1")}, Metadata: everyMetadata()},
				{Records: values{[]byte("2")}, Metadata: members{}}, {Records: values{[]byte("3")}}}},
		{name: "timestamps", about: "records with a timestamp: the manifest keeps earliest and latest in the zones they came in",
			spec: datasetSpec{Dataset: "times", Codec: "jsonl"}, writes: []writeSpec{
				{Stamped: true, Records: values{at("2024-01-01T10:00:00Z"), at("2024-01-15T12:00:00Z"), at("2024-01-10T08:00:00Z")}},
				{Stamped: true, Mode: "stream-records", Records: values{at("2024-01-01T10:00:00+09:00"), at("2023-12-31T20:00:00.12-05:30")}},
				{Stamped: true, Records: values{at("2024-01-01T00:00:00.123456789Z")}}}},
		{name: "zstd-large", about: "content of 128 KiB and more becomes a streamed zstd frame without its size",
			spec: datasetSpec{Dataset: "large", Codec: "jsonl", Compressor: "zstd", Checksum: "md5"}, writes: []writeSpec{
				{Records: lines}, {Mode: "stream-records", Records: lines}, {Records: lines[:3]}}},
	}
	for _, compressor := range []string{"gzip", "zstd"} {
		cases = append(cases, vectorCase{name: "blob-large-" + compressor, about: "320,000 bytes, written and streamed in two chunks",
			spec:   datasetSpec{Dataset: "large", Compressor: compressor, Checksum: "md5"},
			writes: []writeSpec{{Records: values{large}}, {Mode: "stream", Records: values{large[:200000], large[200000:]}}}})
	}
	for _, inner := range []string{"none", "snappy", "gzip"} {
		cases = append(cases, vectorCase{name: "parquet-" + inner, about: "Parquet's own compression; the manifest does not tell it",
			spec:   datasetSpec{Dataset: "table", Codec: "parquet", Schema: everyTypeSchema(), ParquetCompression: inner},
			writes: []writeSpec{{Records: everyTypeRecords()}}})
	}
	return append(cases, vectorCase{name: "parquet-statistics", about: "min and max keep the spelling of the input; NaN after a number is skipped",
		spec:   datasetSpec{Dataset: "stats", Codec: "parquet", Schema: statisticsSchema()},
		writes: []writeSpec{{Records: statisticsRecords()}, {Records: statisticsRecords()[3:]}}})
}

func everyMetadata() members {
	return members{
		"text": "plain", "empty": "", "html": "<a href=\"x\">&amp;</a>", "unicode": "é日本🦊", "separators": "\u2028\u2029",
		"control": "\x00\x01\b\f\n\r\t\x1f\x7f", "invalid": "a\xffb", "true": true, "false": false, "null": nil, "int": int64(42),
		"bigint": int64(9007199254740993), "maxint": int64(math.MaxInt64), "float": 1.5, "small": 1e-7, "large": 1e21, "below": 1e20,
		"negzero": math.Copysign(0, -1), "float32": float32(0.1), "bytes": []byte{1, 2, 3}, "time": instant.In(tokyo),
		"list": []any{}, "nested": map[string]any{"z": []any{nil, map[string]any{}, []any{}}, "a": map[string]any{"10": 1.0, "9": 2.0}},
		"10": "ten", "9": "nine", "é": 1.0, "Z": 2.0, "__proto__": map[string]any{"polluted": true}, "a/b": 1.0, "": "no name",
	}
}

func statisticsSchema() []fieldSpec {
	return []fieldSpec{{Name: "id", Type: "int64"}, {Name: "name", Type: "string", Nullable: true}, {Name: "score", Type: "float64"},
		{Name: "ratio", Type: "float32", Nullable: true}, {Name: "small", Type: "int32", Nullable: true}, {Name: "at", Type: "timestamp", Nullable: true},
		{Name: "ok", Type: "bool"}, {Name: "raw", Type: "bytes", Nullable: true}, {Name: "void", Type: "string", Nullable: true}}
}

func statisticsRecords() values {
	row := func(id any, name any, score any, rest map[string]any) map[string]any {
		out := map[string]any{"id": id, "name": name, "score": score, "ok": true}
		for key, value := range rest {
			out[key] = value
		}
		return out
	}
	return values{
		row(int64(10), "alice", 95.5, map[string]any{"ratio": float32(0.1), "at": "2024-01-01T10:00:00+09:00"}),
		row(1.0, "bob", math.NaN(), map[string]any{"small": int32(3), "at": instant, "raw": []byte{9}}),
		row(int64(5), "日本", 87.3, map[string]any{"small": 2.0, "at": instant.In(tokyo).Add(time.Hour)}),
		row(int64(math.MaxInt64), nil, math.Copysign(0, -1), map[string]any{"small": int64(-1)}),
		row(int64(math.MinInt64), "", 0.0, map[string]any{"ratio": 1e-7}),
		row(int64(9007199254740993), "<&>", 1e21, map[string]any{"name": fmt.Sprint("a", "\x01")}),
	}
}
