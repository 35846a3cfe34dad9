package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// checkStored demands that an item holds all of a document: as JSON text, as such text compressed by
// zstd, or as a native map.
func checkStored(item json.RawMessage, document string) error {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(item, &attributes); err != nil {
		return err
	}
	name := "" // of the attribute that takes most
	for candidate, value := range attributes {
		if len(value) > len(attributes[name]) {
			name = candidate
		}
	}
	var value map[string]any
	if err := json.Unmarshal(attributes[name], &value); err != nil {
		return err
	}
	stored, err := storedDocument(value)
	if err != nil {
		return fmt.Errorf("read attribute %s: %w", name, err)
	}
	var want any
	if err := json.Unmarshal([]byte(document), &want); err != nil {
		return err
	}
	if !reflect.DeepEqual(stored, want) {
		return fmt.Errorf("attribute %s does not hold the document", name)
	}
	return nil
}

func storedDocument(value map[string]any) (any, error) {
	var text []byte
	switch {
	case value["M"] != nil:
		return plain(value)
	case value["S"] != nil:
		text = fmt.Append(nil, value["S"])
	case value["B"] != nil:
		packed, err := base64.StdEncoding.DecodeString(fmt.Sprint(value["B"]))
		if err != nil {
			return nil, err
		}
		decoder, err := zstd.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		var unpacked bytes.Buffer
		if _, err := unpacked.ReadFrom(decoder); err != nil {
			return nil, err
		}
		text = unpacked.Bytes()
	}
	var stored any
	err := json.Unmarshal(text, &stored)
	return stored, err
}

// plain returns what a native value stands for, as encoding/json would.
func plain(value any) (any, error) {
	typed, ok := value.(map[string]any)
	if !ok || len(typed) != 1 {
		return nil, errors.New("it holds something that is no value")
	}
	for kind, content := range typed {
		switch content := content.(type) {
		case bool:
			if kind == "NULL" {
				return nil, nil
			}
			return content, nil
		case string:
			if kind == "N" {
				return strconv.ParseFloat(content, 64)
			}
			return content, nil
		case []any:
			list := make([]any, len(content))
			for i, element := range content {
				var err error
				if list[i], err = plain(element); err != nil {
					return nil, err
				}
			}
			return list, nil
		case map[string]any:
			object := make(map[string]any, len(content))
			for name, element := range content {
				var err error
				if object[name], err = plain(element); err != nil {
					return nil, err
				}
			}
			return object, nil
		}
	}
	return nil, errors.New("it holds a value of no known type")
}
