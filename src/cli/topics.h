/* Documentation that belongs to no registry: the rules of the language, a topic each (`strm help TOPIC`, and together the page
 * strm-language(7)), and the special values. By number from 0, NULL ends. */
#ifndef STRM_CLI_TOPICS_H
#define STRM_CLI_TOPICS_H
#include "base/doc.h"

const struct doc *topic_doc(unsigned i);
const struct doc *special_doc(unsigned i);

#endif
