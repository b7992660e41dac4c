package knowledge

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/spanish"
)

// tongue is how the words of a language are made into terms.
type tongue struct {
	// stem sees words without accents, as many people type them; with accents
	// it finds hardly more.
	stem func(*snowballstem.Env) bool
	// endings are put in the place of those without accents, by which the
	// stemmer would not know them; the stem loses its accents again.
	endings map[string]string
	// stop are function words, and soft are words by which people wrap a
	// question; both without accents. elided stand before an apostrophe.
	stop, soft, elided map[string]bool
}

// tongues by base language; every other language is analysed as the first is.
var (
	defaultTongue = &tongue{stem: english.Stem, stop: stopWords, soft: softWords}
	tongues       = map[string]*tongue{
		"es": {stem: spanish.Stem, endings: map[string]string{"cion": "ción", "sion": "sión"}, stop: spanishStop, soft: spanishSoft},
		"fr": {stem: french.Stem, stop: frenchStop, soft: frenchSoft, elided: wordSet(`l d j m t s n c qu jusqu lorsqu puisqu quoiqu`)},
	}
)

func tongueOf(lang string) *tongue {
	if t := tongues[BaseLang(lang)]; t != nil {
		return t
	}
	return defaultTongue
}

// tongueName names the analysis of a language: texts in languages of one name
// give the same terms for the same words.
func tongueName(lang string) string {
	if base := BaseLang(lang); tongues[base] != nil {
		return base
	}
	return ""
}

// accented gives a word the accent of its ending back.
func (t *tongue) accented(w string) string {
	for bare, ending := range t.endings {
		if s, ok := strings.CutSuffix(w, bare); ok {
			return s + ending
		}
	}
	return w
}

// unelided takes what stands before the apostrophe off: "l'identité".
func (t *tongue) unelided(w string) string {
	if before, after, ok := strings.Cut(w, "'"); ok && t.elided[before] {
		return after
	}
	return w
}

var spanishStop = wordSet(`
el la los las un una unos unas lo al del de a ante bajo con contra desde durante en entre hacia hasta para por segun sin sobre tras
y e o u ni que si no pero mas sino porque pues como cuando donde cual cuales quien quienes cuyo cuanto cuanta cuantos cuantas
yo tu usted ustedes el ella ello ellos ellas nosotros nosotras vosotros me te se nos os le les mi mis su sus tus nuestro nuestra nuestros nuestras
este esta estos estas ese esa esos esas aquel aquella esto eso aquello
soy es son era eran fue fueron ser sido siendo sea sean estoy esta estan estaba estar este esten hay habia haber ha han he hemos has haya
tengo tiene tienen tener tenga tengan puede pueden poder debe deben deber
muy tambien ya aun asi solo otro otra otros otras todo toda todos todas cada mismo misma
`)

var spanishSoft = wordSet(`
quier querr quisier necesit sab conoc dec dig ayud favor graci hol buen busc encontr ver hac hag us pued deb preg pregunt cosa form maner hoy ahor
`)

var frenchStop = wordSet(`
le la les l un une des du de d au aux a ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs
je j tu il elle on nous vous ils elles me m te t se s lui y en moi toi soi eux
que qui quoi dont ou quel quelle quels quelles comment quand combien pourquoi
et mais donc or ni car si ne pas plus point non oui comme lorsque puisque quoique afin
dans par pour sur sous avec sans chez vers entre avant apres depuis pendant jusque jusqu contre
suis es est sommes etes sont etait etaient etre ete soit soient ai as avons avez ont avait avoir eu ait
peut peuvent peux pouvez pouvoir doit doivent dois devez devoir fait faire faites fais
tout toute tous toutes autre autres meme memes tres aussi encore deja ici la cela ca ci c qu n
`)

var frenchSoft = wordSet(`
veux voudr souhait besoin sav connaitr dir demand aid bonjour merc plait trouv voir cherch question chos mani aujourd mainten
`)
