package channels

import (
	"fmt"
	"regexp"
	"slices"
)

// Registry finds adapters by name. It does not change after NewRegistry.
type Registry struct {
	byName map[string]Adapter
	names  []string
}

var goodName = regexp.MustCompile(`^[a-z][a-z0-9_]{1,31}$`)

// NewRegistry checks the adapters' names. It returns an error for a bad name, a double one, and for the channels that people read themselves.
func NewRegistry(adapters ...Adapter) (*Registry, error) {
	r := &Registry{byName: map[string]Adapter{}}
	for _, a := range adapters {
		name := a.Name()
		switch {
		case !goodName.MatchString(name):
			return nil, fmt.Errorf("channels: %q is no name for a channel", name)
		case name == Web || name == Portal || name == API:
			return nil, fmt.Errorf("channels: people read %q themselves; it has no adapter", name)
		case r.byName[name] != nil:
			return nil, fmt.Errorf("channels: two adapters are named %q", name)
		}
		r.byName[name] = a
		r.names = append(r.names, name)
	}
	slices.Sort(r.names)
	return r, nil
}

// Get gives the adapter of a channel, or false: nothing is pushed on it. A nil registry has none.
func (r *Registry) Get(name string) (Adapter, bool) {
	if r == nil {
		return nil, false
	}
	a, ok := r.byName[name]
	return a, ok
}

// Names lists the channels that messages are pushed on, sorted.
func (r *Registry) Names() []string {
	if r == nil {
		return []string{}
	}
	return slices.Clone(r.names)
}
