package dynamodb

// change is a change of one table, which has been checked.
type change struct {
	Table  string
	Define *definition // creates the table if there is none
	Put    []item
	Delete []item // keys
	Drop   bool
}

// commit makes changes, which have been checked. The caller holds the engine's lock.
func (e *Engine) commit(changes ...change) error { return e.apply(changes) }

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
