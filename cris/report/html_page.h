/// What the project's HTML pages share: one style, and pictures that live inside the page.
#pragma once
#include <string>

namespace cris {

/// Everything up to the content of a page, its heading included.
std::string page_begin(const std::string& title);
/// The page with a list of its chapters (<h2>) below its heading, each a link.
std::string with_contents(std::string page);
std::string page_end();
/// The file as a data: URL, so that the page needs nothing beside it. Throws Error when it cannot be read.
std::string png_url(const std::string& path);
/// The page becomes the whole content of `path`, or `path` stays as it was and Error is thrown; a file that holds it
/// already is left alone.
void write_page(const std::string& path, const std::string& page);

}  // namespace cris
