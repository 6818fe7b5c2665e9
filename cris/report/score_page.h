/// Measures for people: as text, and as a folder with a page.
#pragma once
#include <string>

#include "cris/measures/measures.h"
#include "cris/report/svg_chart.h"

namespace cris {

/// A line for each measure: the mean over images, and of all pixels together; then lesions, sizes, and what a reader
/// must know of the numbers. At most 80 columns.
std::string measures_text(const MeasureSet& measures);

/// Whether `folder` is new, empty, or holds an earlier score.json: it may be written.
bool takes_scores(const std::string& folder);
/// Writes score.json, per_image.csv, precision_recall.csv and score.html (one offline page of the tables, the
/// precision-recall curve and the reliability diagram) into `folder`, all or none. Throws data::FormatError.
void write_scores(const MeasureSet& measures, const std::string& folder, const std::string& title);

/// precision_recall.csv: threshold, precision, recall of the points that bend the curve of all pixels.
std::string precision_recall_csv(const MeasureSet& measures);
/// Recall and precision of the same points.
Points pooled_points(const MeasureSet& measures);
/// Such points, named by the area below them, which `measures` holds where an image shows a polyp.
Chart precision_recall_chart(const std::string& title, const Points& points, const nlohmann::ordered_json& measures);

}  // namespace cris
