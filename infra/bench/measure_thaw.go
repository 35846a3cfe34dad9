package main

import "errors"

// measureThaw freezes i, as Lambda does between two events, closes the connections of the database
// meanwhile, and times the answer to the event that thaws it.
func (s *session) measureThaw(i *instance, p program) error {
	if s.w.database == nil || p.hello {
		return nil
	}
	for figure, reset := range map[string]bool{thawFIN: false, thawRST: true} {
		if _, err := s.warm(i, p, 1, small); err != nil { // so that connections are open
			return err
		}
		events, err := s.events(1, s.document(small))
		if err != nil {
			return err
		}
		quiet()
		if err := freeze(i.process.Process); err != nil {
			return err
		}
		if err := s.w.database.listener.drop(reset); err != nil {
			return errors.Join(err, thaw(i.process.Process))
		}
		c, err := i.deliver(handOut(newID(), events[0], functionTimeout), func() error { return thaw(i.process.Process) })
		if err == nil {
			err = succeeded(c)
		}
		if err != nil {
			return err
		}
		s.results.add(p.name, figure, milliseconds(c.latency))
	}
	return nil
}
