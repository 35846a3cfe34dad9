package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// checkStored checks that an item holds all of a document: as JSON text, as such text compressed by
// zstd, or as a native map.
func checkStored(item json.RawMessage, document string) error {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(item, &attributes); err != nil {
		return err
	}
	name := "" // of the largest attribute
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
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		if text, err = decoder.DecodeAll(packed, nil); err != nil {
			return nil, err
		}
	}
	var stored any
	err := json.Unmarshal(text, &stored)
	return stored, err
}

// plain returns what a native value stands for, as encoding/json would decode it.
func plain(value any) (any, error) {
	typed, ok := value.(map[string]any)
	if !ok || len(typed) != 1 {
		return nil, errors.New("an attribute value has not exactly one type")
	}
	if text, ok := typed["N"].(string); ok {
		return strconv.ParseFloat(text, 64)
	}
	if typed["NULL"] != nil {
		return nil, nil
	}
	var errs []error
	for _, content := range typed {
		switch content := content.(type) {
		case bool, string:
			return content, nil
		case []any:
			for i, element := range content {
				var err error
				content[i], err = plain(element)
				errs = append(errs, err)
			}
			return content, errors.Join(errs...)
		case map[string]any:
			for name, element := range content {
				var err error
				content[name], err = plain(element)
				errs = append(errs, err)
			}
			return content, errors.Join(errs...)
		}
	}
	return nil, errors.New("an attribute value has no known type")
}
