package settings_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/schema"
	"orgsettings/internal/settings"
)

// limit is a schema that allows the documents without bad.
type limit struct{}

func (limit) Text() []byte { return []byte(`{}`) }
func (limit) Validate(text []byte) error {
	if bytes.Contains(text, []byte("bad")) {
		return errors.New("/bad: is not allowed")
	}
	return nil
}

// A document that is sent is refused before the database is asked for the stored one. For an edit, the condition comes first.
func TestSchemaComesBeforeAndAfterTheCondition(t *testing.T) {
	t.Parallel()
	reads := 0
	s := settings.New(settings.Config{
		Directory: member(settings.RoleOwner), Now: time.Now, Schema: limit{}, RequireCondition: true,
		Store: store{get: func(settings.OrgID) (settings.Record, error) {
			reads++
			return settings.Record{Org: "acme", Stored: true, Revision: "01KDXZT9JE0000000000000000"}, nil
		}},
	})
	bad, err := settings.ParseDocument([]byte(`{"bad":1}`))
	if err != nil {
		t.Fatal(err)
	}
	never := settings.Condition{IfMatch: new(settings.Revisions)}
	write := func(e settings.Edit, c settings.Condition) (err error) {
		_, err = s.Write(t.Context(), "u", e, c)
		_, same := s.Preview(t.Context(), "u", e, c)
		if fmt.Sprintf("%T", err) != fmt.Sprintf("%T", same) {
			t.Errorf("the preview fails with %v, the write with %v", same, err)
		}
		return err
	}
	for _, c := range []settings.Condition{{}, never} {
		if _, ok := errors.AsType[*settings.InvalidError](write(settings.Replacement(bad), c)); !ok || reads > 0 {
			t.Errorf("a replacement is not refused by the schema, after %d reads", reads)
		}
	}
	if _, ok := errors.AsType[*settings.UnconditionalError](write(settings.MergePatch(bad), settings.Condition{})); !ok {
		t.Error("a merge without a condition is not refused for that")
	}
	if _, ok := errors.AsType[*settings.ConflictError](write(settings.MergePatch(bad), never)); !ok {
		t.Error("a merge whose condition does not hold is not refused for that")
	}
	always := settings.Condition{IfMatch: &settings.Revisions{Any: true}}
	invalid, ok := errors.AsType[*settings.InvalidError](write(settings.MergePatch(bad), always))
	if !ok || invalid.Detail() != "/bad: is not allowed" || strings.Contains(invalid.Error(), "bad") {
		t.Errorf("a merge: %v", invalid)
	}
}

// BenchmarkWrite measures a PUT of a document of 10 KB without the database: without a schema, and what one adds.
func BenchmarkWrite(b *testing.B) {
	compiled, err := schema.Compile([]byte(`{"additionalProperties":{"type":"object","properties":{"enabled":{"type":"boolean"},"owner":{"pattern":"^user-"},` +
		`"limits":{"additionalProperties":{"type":["string","integer"]}}},"additionalProperties":false}}`))
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	for i := range 110 {
		fmt.Fprintf(&text, `,"feature-%d":{"enabled":true,"owner":"user-9e3779b1","limits":{"maxFileSize":"10GB","days":365}}`, i)
	}
	stored, err := settings.ParseDocument([]byte("{" + text.String()[1:] + "}"))
	if err != nil {
		b.Fatal(err)
	}
	patch, err := settings.ParseDocument([]byte(`{"feature-7":{"enabled":false}}`))
	if err != nil {
		b.Fatal(err)
	}
	for name, limit := range map[string]settings.Schema{"no schema": nil, "schema": compiled} {
		b.Run(name, func(b *testing.B) {
			s := settings.New(settings.Config{
				Directory: member(settings.RoleOwner), Now: time.Now, Schema: limit,
				Store: store{
					get: func(settings.OrgID) (settings.Record, error) {
						return settings.Record{Org: "acme", Stored: true, Document: stored, Revision: "01KDXZT9JE0000000000000000"}, nil
					},
					swap: func(settings.Record, settings.Record) error { return nil },
				},
			})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Write(context.Background(), "u", settings.MergePatch(patch), settings.Condition{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
