// Package city is the reference data of an installation as files: its jurisdiction, agencies, areas, categories, service items, dispatch
// catalogue, ready-made replies, synonyms and, where a folder has them, staff and articles.
//
// A folder is data that people edit by hand. ReadFS parses all of it and refuses whatever does not fit together, with file, line and entry in
// the message; what is no mistake but makes a worse hotline, such as a category with two examples, is advice. Import brings an installation in
// line with a folder, all or nothing; Export makes the folder of an installation.
//
// Invariants of what ReadFS returns: codes are unique per file, every reference leads somewhere, every text exists in every language of the
// jurisdiction, parents come before their children, polygons are closed, and each leaf of the category tree has an entry without an area in
// the dispatch catalogue.
//
// Nothing is ever deleted: tickets name it for years. The package writes rows itself, because agencies, areas and categories refer to one
// another and have to change together; it knows no package of the domain.
package city
