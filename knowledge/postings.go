package knowledge

import (
	"cmp"
	"math"
	"slices"
)

// postings tell for each term which documents hold it, by their places in the
// corpus's list, in order. Most terms of a large collection stand in one
// document alone: that one is kept in the map itself.
type postings struct {
	at    map[uint32]posted
	lists [][]posting
	free  []uint32 // lists that are not used
}

// posted is the only posting of a term, or the number of its list.
type posted uint32

const listed posted = 1 << 31 // set in the number of a list

// posting is a document's place and how often it says the term, by the weights
// of its parts.
type posting uint32

// Bits of a posting. Eight million documents are more than a node holds.
const (
	sayBits = 8
	sayUnit = 0.5 // what a posting counts in: the least that a document says
)

func newPosting(place int, says float64) posting {
	return posting(place)<<sayBits | posting(min(math.Round(says/sayUnit), 1<<sayBits-1))
}

func (p posting) place() int    { return int(p >> sayBits) }
func (p posting) says() float32 { return float32(uint8(p)) * sayUnit }

func newPostings() postings { return postings{at: map[uint32]posted{}} }

// count is the number of documents that hold a term.
func (ps *postings) count(h uint32) int {
	switch d, held := ps.at[h]; {
	case !held:
		return 0
	case d&listed == 0:
		return 1
	default:
		return len(ps.lists[d&^listed])
	}
}

// of lists the postings of a term. The slice is not to be kept.
func (ps *postings) of(h uint32) []posting {
	switch d, held := ps.at[h]; {
	case !held:
		return nil
	case d&listed == 0:
		return []posting{posting(d)}
	default:
		return ps.lists[d&^listed]
	}
}

// add is for a place behind all that the term has.
func (ps *postings) add(h uint32, p posting) {
	d, held := ps.at[h]
	switch {
	case !held:
		ps.at[h] = posted(p)
	case d&listed == 0:
		var n uint32
		if last := len(ps.free) - 1; last >= 0 {
			n, ps.free = ps.free[last], ps.free[:last]
		} else {
			n, ps.lists = uint32(len(ps.lists)), append(ps.lists, nil)
		}
		ps.lists[n] = []posting{posting(d), p}
		ps.at[h] = listed | posted(n)
	default:
		ps.lists[d&^listed] = append(ps.lists[d&^listed], p)
	}
}

// remove takes a document's posting of a term away.
func (ps *postings) remove(h uint32, place int) {
	d, held := ps.at[h]
	if !held || d&listed == 0 {
		delete(ps.at, h)
		return
	}
	n := d &^ listed
	list := ps.lists[n]
	i, found := slices.BinarySearchFunc(list, place, func(p posting, place int) int { return cmp.Compare(p.place(), place) })
	if !found {
		return
	}
	if list = slices.Delete(list, i, i+1); len(list) > 1 {
		ps.lists[n] = list
		return
	}
	ps.at[h] = posted(list[0])
	ps.free, ps.lists[n] = append(ps.free, uint32(n)), nil
}

// renumber gives every document its new place; their order stays.
func (ps *postings) renumber(to []int) {
	moved := func(p posting) posting { return newPosting(to[p.place()], float64(p.says())) }
	for h, d := range ps.at {
		if d&listed == 0 {
			ps.at[h] = posted(moved(posting(d)))
		}
	}
	for _, list := range ps.lists {
		for i, p := range list {
			list[i] = moved(p)
		}
	}
}
