package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Records and metadata cross the pipe as JSON. A plain JSON number is a float64, as it is for Go; every other Go type that
// JSON cannot tell apart is an object with one member:
//
//	{"$int":"7"} {"$int32":"7"} {"$int64":"7"} {"$float":"NaN"} {"$float32":"0.1"}
//	{"$bytes":"AQI="} {"$text":"base64 of a string that is not valid UTF-8"} {"$time":"2024-01-01T10:00:00+09:00"}

// values is a list of tagged values.
type values []any

func (v *values) UnmarshalJSON(data []byte) error {
	plain, err := decodeNumbers(data)
	if err != nil || plain == nil {
		return err
	}
	list, ok := plain.([]any)
	if !ok {
		return fmt.Errorf("expected a list of values, got %s", data)
	}
	for _, item := range list {
		value, err := fromTagged(item)
		if err != nil {
			return err
		}
		*v = append(*v, value)
	}
	return nil
}

func (v values) MarshalJSON() ([]byte, error) { return json.Marshal(toTaggedList(v)) }

// members is an object of tagged values; absent or null stays nil.
type members map[string]any

func (m *members) UnmarshalJSON(data []byte) error {
	plain, err := decodeNumbers(data)
	if err != nil || plain == nil {
		return err
	}
	value, err := fromTagged(plain)
	if err != nil {
		return err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("expected an object, got %s", data)
	}
	*m = object
	return nil
}

func (m members) MarshalJSON() ([]byte, error) { return json.Marshal(toTagged(map[string]any(m))) }

func decodeNumbers(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain any
	err := decoder.Decode(&plain)
	return plain, err
}

func fromTagged(plain any) (any, error) {
	switch value := plain.(type) {
	case json.Number:
		return value.Float64()
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			decoded, err := fromTagged(item)
			if err != nil {
				return nil, err
			}
			list[i] = decoded
		}
		return list, nil
	case map[string]any:
		if len(value) == 1 {
			for tag, text := range value {
				if len(tag) > 0 && tag[0] == '$' {
					return fromTag(tag, fmt.Sprint(text))
				}
			}
		}
		object := make(map[string]any, len(value))
		for name, item := range value {
			decoded, err := fromTagged(item)
			if err != nil {
				return nil, err
			}
			object[name] = decoded
		}
		return object, nil
	}
	return plain, nil
}

func fromTag(tag, text string) (any, error) {
	switch tag {
	case "$int":
		return strconv.Atoi(text)
	case "$int32":
		value, err := strconv.ParseInt(text, 10, 32)
		return int32(value), err
	case "$int64":
		return strconv.ParseInt(text, 10, 64)
	case "$float":
		return strconv.ParseFloat(text, 64)
	case "$float32":
		value, err := strconv.ParseFloat(text, 32)
		return float32(value), err
	case "$bytes":
		return base64.StdEncoding.DecodeString(text)
	case "$text":
		raw, err := base64.StdEncoding.DecodeString(text)
		return string(raw), err
	case "$time":
		return time.Parse(time.RFC3339Nano, text)
	}
	return nil, fmt.Errorf("unknown tag %q", tag)
}

func tagged(tag, text string) map[string]string { return map[string]string{tag: text} }

func toTagged(value any) any {
	switch v := value.(type) {
	case int:
		return tagged("$int", strconv.Itoa(v))
	case int32:
		return tagged("$int32", strconv.FormatInt(int64(v), 10))
	case int64:
		return tagged("$int64", strconv.FormatInt(v, 10))
	case float32:
		return tagged("$float32", strconv.FormatFloat(float64(v), 'g', -1, 32))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return tagged("$float", strconv.FormatFloat(v, 'g', -1, 64))
		}
		return v
	case string:
		if !isCleanText(v) {
			return tagged("$text", base64.StdEncoding.EncodeToString([]byte(v)))
		}
		return v
	case []byte:
		return tagged("$bytes", base64.StdEncoding.EncodeToString(v))
	case time.Time:
		return tagged("$time", v.Format(time.RFC3339Nano))
	case []any:
		return toTaggedList(v)
	case stamped:
		return toTagged(map[string]any(v))
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, item := range v {
			object[name] = toTagged(item)
		}
		return object
	}
	return value
}

func toTaggedList(list []any) []any {
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = toTagged(item)
	}
	return out
}

// isCleanText says whether JSON can carry the string unchanged.
func isCleanText(text string) bool {
	quoted, err := json.Marshal(text)
	if err != nil {
		return false
	}
	var back string
	return json.Unmarshal(quoted, &back) == nil && back == text
}

// stamped is a record whose member "at" is its timestamp. The library takes min_timestamp and max_timestamp from records
// with such a method only, and its Hive partitioner and Parquet codec take none but plain maps: so stamped records are for
// JSONL in the other two layouts.
type stamped map[string]any

// Timestamp makes a stamped record a lode.Timestamped.
func (s stamped) Timestamp() time.Time {
	at, _ := s["at"].(time.Time)
	return at
}

func stamp(records []any) []any {
	out := make([]any, len(records))
	for i, record := range records {
		out[i] = record
		if object, ok := record.(map[string]any); ok {
			out[i] = stamped(object)
		}
	}
	return out
}
