/* SPDX-License-Identifier: Apache-2.0
 * The elements are written straight to the sink, parents first. A parent's
 * size is found by writing its children to a counting sink: headers are small
 * and rare, and nothing is buffered or patched. Sizes of masters have a fixed
 * width, so that a header has the same shape whatever it holds. */
#include "core/mkv.h"

#define NANOSECONDS_PER_TICK 100u
#define PRODUCT "kinesis-video"
#define WRITER PRODUCT "/" KVS_VERSION

/* Widths of the sizes of masters. */
enum { INFO_WIDTH = 2, TRACKS_WIDTH = 4 };

/* ---- session header --------------------------------------------------- */

static void ebml_children(kvs_sink *sink) {
  kvs_ebml_uint(sink, KVS_MKV_ID_EBML_VERSION, 1, 0);
  kvs_ebml_uint(sink, KVS_MKV_ID_EBML_READ_VERSION, 1, 0);
  kvs_ebml_uint(sink, KVS_MKV_ID_EBML_MAX_ID_LENGTH, 4, 0);
  kvs_ebml_uint(sink, KVS_MKV_ID_EBML_MAX_SIZE_LENGTH, 8, 0);
  kvs_ebml_string(sink, KVS_MKV_ID_DOC_TYPE, "matroska");
  kvs_ebml_uint(sink, KVS_MKV_ID_DOC_TYPE_VERSION, 2, 0);
  kvs_ebml_uint(sink, KVS_MKV_ID_DOC_TYPE_READ_VERSION, 2, 0);
}

/* Product and version, and the client id after a space. */
static void writing_app(kvs_sink *sink, const char *client_id) {
  kvs_bytes writer = kvs_bytes_of(WRITER);
  kvs_bytes client = kvs_bytes_of(client_id);
  size_t len = writer.len + (client.len > 0 ? 1 + client.len : 0);

  kvs_ebml_header(sink, KVS_MKV_ID_WRITING_APP, len, 0);
  kvs_sink_write(sink, writer.ptr, writer.len);
  if (client.len > 0) {
    kvs_sink_write(sink, (const uint8_t *)" ", 1);
    kvs_sink_write(sink, client.ptr, client.len);
  }
}

static void info_children(kvs_sink *sink, const kvs_mkv_header *header) {
  kvs_ebml_bytes(sink, KVS_MKV_ID_SEGMENT_UUID, header->segment_uid,
                 KVS_SEGMENT_UID_LEN);
  kvs_ebml_uint(sink, KVS_MKV_ID_TIMESTAMP_SCALE,
                header->timecode_scale * NANOSECONDS_PER_TICK, 8);
  kvs_ebml_string(sink, KVS_MKV_ID_TITLE, PRODUCT);
  kvs_ebml_string(sink, KVS_MKV_ID_MUXING_APP, PRODUCT);
  writing_app(sink, header->client_id);
}

static void video_children(kvs_sink *sink, const kvs_track_info *track) {
  kvs_ebml_uint(sink, KVS_MKV_ID_PIXEL_WIDTH, track->pixel_width, 2);
  kvs_ebml_uint(sink, KVS_MKV_ID_PIXEL_HEIGHT, track->pixel_height, 2);
}

static void audio_children(kvs_sink *sink, const kvs_track_info *track) {
  kvs_ebml_float(sink, KVS_MKV_ID_SAMPLING_FREQUENCY,
                 track->sampling_frequency);
  kvs_ebml_uint(sink, KVS_MKV_ID_CHANNELS, track->channels, 0);
  if (track->bit_depth != 0) {
    kvs_ebml_uint(sink, KVS_MKV_ID_BIT_DEPTH, track->bit_depth, 0);
  }
}

static bool is_empty(const char *text) {
  return text == NULL || text[0] == '\0';
}

/* The Video or Audio element. A size or a rate of 0 is one that is not known:
 * Matroska allows none, so that the element is left out. */
static void media(kvs_sink *sink, const kvs_track_info *track) {
  kvs_sink counted = kvs_counting_sink();

  if (track->type == KVS_TRACK_VIDEO && track->pixel_width != 0 &&
      track->pixel_height != 0) {
    video_children(&counted, track);
    kvs_ebml_header(sink, KVS_MKV_ID_VIDEO, counted.written, TRACKS_WIDTH);
    video_children(sink, track);
  }
  if (track->type == KVS_TRACK_AUDIO && track->sampling_frequency > 0 &&
      track->channels != 0) {
    audio_children(&counted, track);
    kvs_ebml_header(sink, KVS_MKV_ID_AUDIO, counted.written, TRACKS_WIDTH);
    audio_children(sink, track);
  }
}

static void codec_private(kvs_sink *sink, const kvs_mkv_header *header,
                          uint32_t index) {
  const kvs_track_info *track = &header->tracks[index];

  if (track->codec_private_len == 0) {
    return;
  }
  kvs_ebml_header(sink, KVS_MKV_ID_CODEC_PRIVATE, track->codec_private_len, 0);
  if (header->write_private != NULL) {
    header->write_private(sink, index, header->user);
  } else {
    kvs_sink_write(sink, track->codec_private, track->codec_private_len);
  }
}

static void track_children(kvs_sink *sink, const kvs_mkv_header *header,
                           uint32_t index) {
  const kvs_track_info *track = &header->tracks[index];

  kvs_ebml_uint(sink, KVS_MKV_ID_TRACK_NUMBER, index + 1, 0);
  kvs_ebml_uint(sink, KVS_MKV_ID_TRACK_UID, track->track_id, 8);
  kvs_ebml_uint(sink, KVS_MKV_ID_TRACK_TYPE, (uint64_t)track->type, 0);
  if (!is_empty(track->track_name)) {
    kvs_ebml_string(sink, KVS_MKV_ID_NAME, track->track_name);
  }
  if (!is_empty(track->codec_id)) {
    kvs_ebml_string(sink, KVS_MKV_ID_CODEC_ID, track->codec_id);
  }
  media(sink, track);
  codec_private(sink, header, index);
}

static void tracks_children(kvs_sink *sink, const kvs_mkv_header *header) {
  for (uint32_t i = 0; i < header->track_count; i++) {
    kvs_sink counted = kvs_counting_sink();

    if ((header->left_out >> i & 1) != 0) {
      continue;
    }
    track_children(&counted, header, i);
    kvs_ebml_header(sink, KVS_MKV_ID_TRACK_ENTRY, counted.written,
                    TRACKS_WIDTH);
    track_children(sink, header, i);
  }
}

void kvs_mkv_write_header(kvs_sink *sink, const kvs_mkv_header *header) {
  kvs_sink ebml = kvs_counting_sink();
  kvs_sink info = kvs_counting_sink();
  kvs_sink tracks = kvs_counting_sink();

  ebml_children(&ebml);
  kvs_ebml_header(sink, KVS_MKV_ID_EBML, ebml.written, 0);
  ebml_children(sink);
  kvs_ebml_unknown(sink, KVS_MKV_ID_SEGMENT);
  info_children(&info, header);
  kvs_ebml_header(sink, KVS_MKV_ID_INFO, info.written, INFO_WIDTH);
  info_children(sink, header);
  tracks_children(&tracks, header);
  kvs_ebml_header(sink, KVS_MKV_ID_TRACKS, tracks.written, TRACKS_WIDTH);
  tracks_children(sink, header);
}

/* ---- fragments -------------------------------------------------------- */

/*   0          4    5    6    7              15   16   17   18
 *   | Cluster  | FF | E7 | 88 | timecode, 8  | A7 | 81 | 00 |  */
void kvs_mkv_write_cluster(uint8_t out[KVS_MKV_CLUSTER_LEN],
                           uint64_t timecode) {
  kvs_put_be32(out, KVS_MKV_ID_CLUSTER);
  out[4] = 0xFF;
  out[5] = KVS_MKV_ID_TIMESTAMP;
  out[6] = 0x88;
  kvs_put_be64(out + 7, timecode);
  out[15] = KVS_MKV_ID_POSITION;
  out[16] = 0x81;
  out[17] = 0;
}

/* ---- tags ------------------------------------------------------------- */

/* Bytes within the SimpleTag of a name and a string. */
static uint64_t simple_tag_len(kvs_bytes name, kvs_bytes value) {
  return kvs_ebml_element_len(KVS_MKV_ID_TAG_NAME, name.len) +
         kvs_ebml_element_len(KVS_MKV_ID_TAG_STRING, value.len);
}

void kvs_mkv_write_tags(kvs_sink *sink, const kvs_bytes *names,
                        const kvs_bytes *values, uint32_t count) {
  uint64_t tag = 0;

  for (uint32_t i = 0; i < count; i++) {
    tag += kvs_ebml_element_len(KVS_MKV_ID_SIMPLE_TAG,
                                simple_tag_len(names[i], values[i]));
  }
  kvs_ebml_header(sink, KVS_MKV_ID_TAGS,
                  kvs_ebml_element_len(KVS_MKV_ID_TAG, tag), 0);
  kvs_ebml_header(sink, KVS_MKV_ID_TAG, tag, 0);
  for (uint32_t i = 0; i < count; i++) {
    kvs_ebml_header(sink, KVS_MKV_ID_SIMPLE_TAG,
                    simple_tag_len(names[i], values[i]), 0);
    kvs_ebml_bytes(sink, KVS_MKV_ID_TAG_NAME, names[i].ptr, names[i].len);
    kvs_ebml_bytes(sink, KVS_MKV_ID_TAG_STRING, values[i].ptr, values[i].len);
  }
}

void kvs_mkv_write_tag(kvs_sink *sink, kvs_bytes name, kvs_bytes value) {
  kvs_mkv_write_tags(sink, &name, &value, 1);
}

uint32_t kvs_mkv_write_end_of_fragment(uint8_t out[KVS_MKV_EOF_MAX]) {
  kvs_buffer_sink buffer = kvs_make_buffer_sink(out, KVS_MKV_EOF_MAX);
  kvs_bytes nothing = {NULL, 0};

  kvs_mkv_write_tag(&buffer.sink,
                    kvs_bytes_of("AWS_KINESISVIDEO_END_OF_FRAGMENT"), nothing);
  return (uint32_t)buffer.sink.written;
}

/* ---- codec private data of audio -------------------------------------- */

/* Reads |count| bits at |*bit|; bits behind the end are 0. */
static uint32_t read_bits(kvs_bytes from, size_t *bit, uint32_t count) {
  uint32_t value = 0;

  for (; count > 0; count--) {
    size_t at = *bit / 8;
    uint32_t byte = at < from.len ? from.ptr[at] : 0;
    value = (value << 1) | ((byte >> (7 - *bit % 8)) & 1u);
    (*bit)++;
  }
  return value;
}

/* ISO/IEC 14496-3, 1.6.2.1: object type (5 bits, or 31 and 6 more), index of
 * the frequency (4 bits; 15: 24 bits of Hz), channel configuration (4). */
kvs_status kvs_mkv_aac_config(kvs_bytes cpd, double *frequency,
                              uint16_t *channels) {
  static const uint32_t frequencies[] = {96000, 88200, 64000, 48000, 44100,
                                         32000, 24000, 22050, 16000, 12000,
                                         11025, 8000,  7350};
  static const uint16_t counts[] = {0, 1, 2, 3, 4, 5,  6, 8,
                                    0, 0, 0, 7, 8, 24, 8};
  size_t bit = 0;

  if (cpd.ptr == NULL || cpd.len < 2) {
    return KVS_STATUS_MKV_INVALID_AAC_CPD;
  }
  if (read_bits(cpd, &bit, 5) == 31) {
    (void)read_bits(cpd, &bit, 6);
  }
  uint32_t index = read_bits(cpd, &bit, 4);
  uint32_t hertz = 0;
  if (index == 15) {
    hertz = read_bits(cpd, &bit, 24);
  } else if (index < sizeof frequencies / sizeof frequencies[0]) {
    hertz = frequencies[index];
  }
  uint32_t config = read_bits(cpd, &bit, 4);
  if (bit > cpd.len * 8) {
    return KVS_STATUS_MKV_INVALID_AAC_CPD;
  }
  if (hertz == 0) {
    return KVS_STATUS_MKV_INVALID_AAC_CPD_SAMPLING_FREQUENCY_INDEX;
  }
  if (config >= sizeof counts / sizeof counts[0] || counts[config] == 0) {
    return KVS_STATUS_MKV_INVALID_AAC_CPD_CHANNEL_CONFIG;
  }
  *frequency = hertz;
  *channels = counts[config];
  return KVS_OK;
}

static uint32_t get_le16(const uint8_t *at) {
  return (uint32_t)at[0] | ((uint32_t)at[1] << 8);
}

/*   0        2          4         8            12            14     16
 *   | format | channels | samples | bytes a s. | block align | bits | ...
 * Little-endian, 16 bytes and, but for the oldest writers, a count of more. */
kvs_status kvs_mkv_acm_config(kvs_bytes cpd, double *frequency,
                              uint16_t *channels, uint16_t *bit_depth) {
  if (cpd.ptr == NULL || cpd.len < 16) {
    return KVS_STATUS_MKV_INVALID_AMS_ACM_CPD;
  }
  uint32_t hertz = get_le16(cpd.ptr + 4) | (get_le16(cpd.ptr + 6) << 16);
  uint32_t count = get_le16(cpd.ptr + 2);
  if (hertz == 0 || count == 0) {
    return KVS_STATUS_MKV_INVALID_AMS_ACM_CPD;
  }
  *frequency = hertz;
  *channels = (uint16_t)count;
  *bit_depth = (uint16_t)get_le16(cpd.ptr + 14);
  return KVS_OK;
}
