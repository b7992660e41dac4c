package bench

import (
	"fmt"
	"math"
	"strings"

	"github.com/google/uuid"

	"hotline/tickets"
)

// What tickets say is made of the demo city's own examples, one to three of a category, with a place, a time and sometimes a sign that few tickets have.
// Streets and estates have the frequencies of names: a few are everywhere, most are rare.

var (
	firstSyllables  = []string{"金", "翠", "玉", "龙", "凤", "春", "秋", "东", "南", "西", "北", "新", "和", "福", "康", "安", "明", "清", "紫", "白", "青", "红", "阳", "云", "海", "江", "湖", "山", "林", "松"}
	secondSyllables = []string{"湖", "园", "泉", "桥", "塘", "岭", "湾", "洲", "港", "坪", "溪", "峰", "台", "庭", "苑", "城", "阁", "堤", "渡", "巷"}
	englishFirst    = []string{"Maple", "Willow", "Harbour", "Mill", "Bridge", "Orchard", "Station", "Garden", "Temple", "Lake", "River", "Pine", "Cedar", "Market", "Canal", "Stone", "Silver", "Garnet", "Falcon", "Heron", "Juniper", "Amber", "Meadow", "Quarry", "Lantern", "Pagoda", "Saffron", "Thistle", "Viaduct", "Wharf"}
	englishSecond   = []string{"Street", "Road", "Lane", "Avenue", "Court", "Square", "Terrace", "Row", "Heights", "Gate"}
)

// estate is a name by Zipf's law, of 6,000.
func (f *filler) estate() (zh, en string) {
	const all = 30 * 20 * 10
	i := int(math.Exp(f.r.Float64()*math.Log(all))) - 1
	return firstSyllables[i%30] + secondSyllables[i/30%20] + []string{"", "一", "二", "三", "上", "下", "新", "老", "大", "小"}[i/600] + "小区",
		englishFirst[i%30] + " " + englishSecond[i/30%10]
}

func (f *filler) text(t *tickets.Ticket) {
	r := f.r
	examples := f.texts[t.Category][t.Lang]
	first := examples[r.IntN(len(examples))]
	zh, en := f.estate()
	house, floor, hour := 1+r.IntN(400), 1+r.IntN(30), r.IntN(24)
	var b strings.Builder
	b.WriteString(first)
	for range r.IntN(3) {
		b.WriteString(" " + examples[r.IntN(len(examples))])
	}
	if t.Lang == "en" {
		t.Place = fmt.Sprintf("%d %s", house, en)
		fmt.Fprintf(&b, " This is at %d %s, floor %d, since about %d o'clock.", house, en, floor, hour)
	} else {
		t.Place = fmt.Sprintf("%s%d号", zh, house)
		fmt.Fprintf(&b, " 地点在%s%d号%d层，大约从%d点开始。", zh, house, floor, hour)
	}
	if r.Float64() < .1 { // a licence plate, a meter, a receipt
		fmt.Fprintf(&b, " LT%05d", r.IntN(100_000))
	}
	t.Title, t.Description = first, b.String()
	if title := []rune(first); len(title) > 80 {
		t.Title = string(title[:80])
	}
}

// talk writes the contact, the conversation and its first message. A fiftieth of the people file a third of the tickets.
func (f *filler) talk(t tickets.Ticket) (conversation, contact uuid.UUID, err error) {
	r := f.r
	if !t.Confidential && r.Float64() < contactShare {
		contact = f.idAt(t.OpenedAt)
		person := r.IntN(500_000)
		if r.Float64() < .33 {
			person = r.IntN(10_000)
		}
		if err := f.contacts.add(contact, "", fmt.Sprintf("138%08d", person), "", t.Lang, t.OpenedAt).end(); err != nil {
			return conversation, contact, err
		}
	}
	conversation = f.idAt(t.OpenedAt)
	holder, queued, closed := "none", any(nil), any(t.UpdatedAt)
	if t.State.Info().Open && r.Float64() < .0003 {
		holder, closed = "staff", nil
	}
	if err := f.conversations.add(conversation, t.Channel, "bench", conversation.String(), contact, t.Lang, holder, 1, 1, t.ID, t.Confidential, queued, closed, t.OpenedAt, t.UpdatedAt).end(); err != nil {
		return conversation, contact, err
	}
	return conversation, contact, f.messages.add(conversation, 1, f.idAt(t.OpenedAt), "citizen", t.Description, t.ID, t.OpenedAt).end()
}
