package dynamodb

import "net/http"

// change is a change of one table, which has been checked. An array of them is one line of the journal.
type change struct {
	Table  string
	Define *definition `json:",omitzero"` // creates the table if there is none
	Put    []item      `json:",omitzero"`
	Delete []item      `json:",omitzero"` // keys
	Drop   bool        `json:",omitzero"`
}

// commit writes changes, which have been checked, to the journal and makes them. The caller holds the engine's lock.
func (e *Engine) commit(changes ...change) error {
	if e.journal != nil {
		if err := e.journal.append(changes); err != nil {
			return &failure{Type: internalServerError, Message: "write the tables: " + err.Error(), status: http.StatusInternalServerError}
		}
	}
	return e.apply(changes)
}

// apply makes changes. They come from a request, checked, or from a file, unchecked.
func (e *Engine) apply(changes []change) error {
	for _, c := range changes {
		if d := c.Define; d != nil {
			if len(d.Keys) != 1 && len(d.Keys) != 2 {
				return invalid("table %s has %d keys", c.Table, len(d.Keys))
			}
			if e.tables[c.Table] == nil {
				e.tables[c.Table] = &table{name: c.Table}
			}
			e.tables[c.Table].definition = *d
		}
		t, err := e.table(c.Table)
		if err != nil {
			return err
		}
		for _, it := range c.Put {
			k, err := t.keyOf(it)
			if err != nil {
				return err
			}
			t.put(k, it)
		}
		for _, it := range c.Delete {
			k, err := t.onlyKey(it)
			if err != nil {
				return err
			}
			t.delete(k)
		}
		if c.Drop {
			delete(e.tables, c.Table)
		}
	}
	return nil
}
