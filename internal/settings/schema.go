package settings

import "context"

// Schema limits which documents an organization may have. It is safe for concurrent use.
type Schema interface {
	// Text returns the schema as JSON text.
	Text() []byte

	// Validate returns an error, written for the sender of the document, if the schema does not allow the JSON text. The
	// error may name members and shows no value.
	Validate(text []byte) error
}

// SchemaText returns the text of the schema. Every member may read it. Errors: [ErrNoSchema], [ErrNoOrganization],
// [ErrUnavailable].
func (s *Service) SchemaText(ctx context.Context, user UserID) ([]byte, error) {
	if s.Schema == nil {
		return nil, ErrNoSchema
	}
	if _, err := s.membership(ctx, user); err != nil {
		return nil, err
	}
	return s.Schema.Text(), nil
}

// obey returns an [*InvalidError] if d violates the schema.
func (s *Service) obey(d Document) error {
	if s.Schema == nil {
		return nil
	}
	err := s.Schema.Validate(d.Text())
	if err == nil {
		return nil
	}
	return &InvalidError{Kind: "document violates the schema", Reason: err.Error(), Offset: -1}
}
