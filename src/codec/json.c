#include "codec/json.h"

#include "codec/codec_list.h"

const struct codec_def json_codec = {
	.doc = {
		.name = "json",
		.synopsis = "json",
		.summary = "JSON values, one record each: JSON lines, pretty-printed values, or one array of objects",
		.text = "Reads a stream of JSON texts with white space between them: one to a line (JSON lines), several on a line, or each "
			"over several lines. An array of objects at the top stands for its elements, one record each, and is read as it comes, "
			"never as a whole; an empty array there is no record. Any other value that is not an object becomes a record with one field, "
			"value. A byte order mark at the start is dropped.\n\n"
			"Numbers keep their spelling (1.50, 1e400, 64-bit ids). Of equal keys in an object the last value counts, at the place of "
			"the first. user.id names the field of that name, or else id of the object user. Nesting goes 512 levels deep.\n\n"
			"The grammar is RFC 8259, strictly: no comments, no trailing commas, no NaN, UTF-8 throughout, surrogates only in pairs, no "
			"NUL in a key. A text that breaks it is one bad record. Reading goes on at the next line where its brackets balance or "
			"where a new record begins at its margin, in an array at its next element.\n\n"
			"Writes one compact object a line. Text that is spelled as a JSON number is written as one, if it came from a text format; "
			"007 is quoted. NaN and infinities become null and are counted. Bytes that are not UTF-8 become U+FFFD. An unchanged record goes "
			"out as it came in, in one line.",
		.group = "formats",
		.examples = {
			{ "-i json 'filter status >= 500' 'count by path'",
			  "{\"path\":\"/a\",\"status\":500}\n{\"path\":\"/b\",\"status\":200}\n{\"path\":\"/a\",\"status\":503}\n",
			  "{\"path\":\"/a\",\"count\":2}\n", "JSON in, JSON out" },
			{ "-i json 'map name, city = address.city'",
			  "[\n  {\"name\": \"Ada\", \"address\": {\"city\": \"London\"}},\n  {\"name\": \"Emmy\"}\n]\n",
			  "{\"name\":\"Ada\",\"city\":\"London\"}\n{\"name\":\"Emmy\",\"city\":null}\n", "an array of objects, and a path" },
			{ "-i json 'set double = value * 2'", "1 2\n3\n",
			  "{\"value\":1,\"double\":2}\n{\"value\":2,\"double\":4}\n{\"value\":3,\"double\":6}\n", "values that are not objects" },
			{ "-i csv -o json 'filter true'", "id,price,note\n007,1.50,\"\"\n8,,x\n",
			  "{\"id\":\"007\",\"price\":1.50,\"note\":\"\"}\n{\"id\":8,\"price\":null,\"note\":\"x\"}\n", "CSV to JSON" },
		},
	},
	.extensions = "json ndjson jsonl",
	.open = json_open,
	.decode = json_decode,
	.restart = json_restart,
	.close = json_close,
	.save = json_save,
	.load = json_load,
	.open_out = json_open_out,
	.encode = json_encode,
	.flush = json_flush,
	.close_out = json_close_out,
};
