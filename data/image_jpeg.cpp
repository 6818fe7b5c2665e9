/// libjpeg reports errors by a function that must not return: it jumps back past C code, so nothing between may own
/// memory.
#include <cstddef>
#include <cstdio>
// These need the two above.
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>

#include "data/image_decoders.h"
#include "data/image_format.h"

namespace data {

namespace {

/// A progressive picture may be sent in any number of scans, each of which costs time for every pixel: enough for any
/// encoder, and little enough for a hostile file.
constexpr int64_t kFreeScans = 16, kMaxScannedPixels = int64_t(1) << 30;

struct JpegReader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed;
  char reason[JMSG_LENGTH_MAX] = "";
  bool ends_early = false;

  ~JpegReader() { jpeg_destroy_decompress(&info); }
  static JpegReader& of(j_common_ptr info) { return *static_cast<JpegReader*>(info->client_data); }
};

[[noreturn]] void fail(j_common_ptr info) {
  JpegReader& reader = JpegReader::of(info);
  info->err->format_message(info, reader.reason);
  std::longjmp(reader.failed, 1);
}

void warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  ++info->err->num_warnings;
  if (info->err->msg_code == JWRN_HIT_MARKER) JpegReader::of(info).ends_early = true;
}

/// All bytes were given at once. Once the last row is there, what should follow it is not missed.
boolean give_more(j_decompress_ptr info) {
  if (info->output_height == 0 || info->output_scanline < info->output_height) ERREXIT(info, JERR_INPUT_EOF);
  WARNMS(info, JWRN_JPEG_EOF);
  static const JOCTET end[] = {0xff, JPEG_EOI};
  info->src->next_input_byte = end;
  info->src->bytes_in_buffer = 2;
  return TRUE;
}

void skip(j_decompress_ptr info, long count) {
  const size_t n = count > 0 ? std::min(size_t(count), info->src->bytes_in_buffer) : 0;
  info->src->next_input_byte += n;
  info->src->bytes_in_buffer -= n;
}

void count_scans(j_common_ptr common) {
  auto* info = reinterpret_cast<j_decompress_ptr>(common);
  const int64_t scans = info->input_scan_number;
  if (scans <= kFreeScans || scans * info->image_width * info->image_height <= kMaxScannedPixels) return;
  JpegReader& reader = JpegReader::of(common);
  std::snprintf(reader.reason, sizeof reader.reason, "more than %d scans", int(scans - 1));
  std::longjmp(reader.failed, 1);
}

/// False: `reader.reason` says why not.
bool read_header(JpegReader& reader) {
  jpeg_decompress_struct& info = reader.info;
  if (setjmp(reader.failed)) return false;
  jpeg_create_decompress(&info);
  info.src = &reader.source;
  info.progress = &reader.progress;
  jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);  // EXIF
  jpeg_read_header(&info, TRUE);
  const int n = info.num_components;
  if (n != 1 && n != 3 && n != 4) ERREXIT(&info, JERR_CONVERSION_NOTIMPL);
  info.out_color_space = n == 1 ? JCS_GRAYSCALE : n == 3 ? JCS_RGB : JCS_CMYK;
  return true;
}

bool read_rows(JpegReader& reader, Image& image, std::vector<uint8_t>& inks) {
  jpeg_decompress_struct& info = reader.info;
  if (setjmp(reader.failed)) return false;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    uint8_t* to = image.at(info.output_scanline, 0);
    JSAMPROW row = inks.empty() ? to : inks.data();
    jpeg_read_scanlines(&info, &row, 1);
    for (size_t i = 0; i < inks.size(); i += 4, to += 3) rgb_of_inks(&inks[i], to);
  }
  jpeg_finish_decompress(&info);
  return true;
}

}  // namespace

RawPicture decode_jpeg(std::string_view bytes, const std::string& name, Remarks& remarks) {
  JpegReader reader;
  reader.info.err = jpeg_std_error(&reader.errors);
  reader.info.client_data = &reader;
  reader.errors.error_exit = fail;
  reader.errors.emit_message = warn;
  reader.source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
  reader.source.bytes_in_buffer = bytes.size();
  reader.source.init_source = reader.source.term_source = [](j_decompress_ptr) {};
  reader.source.fill_input_buffer = give_more;
  reader.source.skip_input_data = skip;
  reader.source.resync_to_restart = jpeg_resync_to_restart;
  reader.progress.progress_monitor = count_scans;
  if (!read_header(reader)) refuse_picture(name, "JPEG", reader.reason);
  const int64_t height = reader.info.image_height, width = reader.info.image_width;
  const Admission admitted(height, width, name);
  RawPicture picture{Image(height, width, reader.info.num_components == 1 ? 1 : 3)};
  for (const jpeg_marker_struct* m = reader.info.marker_list; m; m = m->next) {
    const std::string_view segment(reinterpret_cast<const char*>(m->data), m->data_length);
    if (segment.starts_with(std::string_view("Exif\0\0", 6))) picture.orientation = exif_orientation(segment.substr(6));
  }
  std::vector<uint8_t> inks(reader.info.num_components == 4 ? size_t(4 * width) : 0);
  if (!read_rows(reader, picture.image, inks)) refuse_picture(name, "JPEG", reader.reason);
  if (reader.ends_early)
    remarks.insert("JPEG data end early, the rest is made up");
  else if (reader.errors.num_warnings > 0)
    remarks.insert("JPEG slightly damaged, read");
  return picture;
}

}  // namespace data
