/** Every exception that the service answers with, and its HTTP status. @internal */
export const SERVICE_ERRORS = {
  AccountStreamLimitExceededException: 400,
  ClientLimitExceededException: 400,
  ConnectionLimitExceededException: 400,
  DeviceStreamLimitExceededException: 400,
  InvalidArgumentException: 400,
  InvalidCodecPrivateDataException: 400,
  InvalidDeviceException: 400,
  InvalidEndpointException: 400,
  InvalidResourceFormatException: 400,
  MissingCodecPrivateDataException: 400,
  NoDataRetentionException: 400,
  NotAuthorizedException: 401,
  ResourceInUseException: 400,
  ResourceNotFoundException: 404,
  TagsPerResourceExceededLimitException: 400,
  UnsupportedStreamMediaTypeException: 400,
  VersionMismatchException: 400,
  // Common to all operations.
  AccessDeniedException: 400,
  ExpiredTokenException: 403,
  IncompleteSignatureException: 400,
  InternalFailure: 500,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  NotImplementedException: 501,
  RequestExpired: 400,
  SerializationException: 400,
  ServiceUnavailable: 503,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
} as const;

/** Name of an exception that the service answers with. @internal */
export type ServiceErrorName = keyof typeof SERVICE_ERRORS;

/** Ends a call with an exception in the form that AWS SDKs read. @internal */
export class ServiceError extends Error {
  override readonly name: ServiceErrorName;
  /** HTTP status of the answer. */
  readonly statusCode: number;

  /** `statusCode`: where the guide has another one than usual. */
  constructor(name: ServiceErrorName, message: string, statusCode?: number) {
    super(message);
    this.name = name;
    this.statusCode = statusCode ?? SERVICE_ERRORS[name];
  }
}

/** Error ids of PutMedia's Error acks and their codes (guide: PutMedia, response elements). */
export const ACK_ERRORS = {
  4000: 'STREAM_READ_ERROR',
  4001: 'MAX_FRAGMENT_SIZE_REACHED',
  4002: 'MAX_FRAGMENT_DURATION_REACHED',
  4003: 'MAX_CONNECTION_DURATION_REACHED',
  4004: 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS',
  4005: 'MORE_THAN_ALLOWED_TRACKS_FOUND',
  4006: 'INVALID_MKV_DATA',
  4007: 'INVALID_PRODUCER_TIMESTAMP',
  4008: 'STREAM_NOT_ACTIVE',
  4009: 'FRAGMENT_METADATA_LIMIT_REACHED',
  4010: 'TRACK_NUMBER_MISMATCH',
  4011: 'FRAMES_MISSING_FOR_TRACK',
  4012: 'MORE_THAN_ALLOWED_TRACKS_FOUND',
  4500: 'KMS_KEY_ACCESS_DENIED',
  4501: 'KMS_KEY_DISABLED',
  4502: 'KMS_KEY_VALIDATION_ERROR',
  4503: 'KMS_KEY_UNAVAILABLE',
  4504: 'KMS_KEY_INVALID_USAGE',
  4505: 'KMS_KEY_INVALID_STATE',
  4506: 'KMS_KEY_NOT_FOUND',
  4507: 'STREAM_DELETED',
  5000: 'INTERNAL_ERROR',
  5001: 'ARCHIVAL_ERROR',
} as const;

/** Error id of an Error ack. @internal */
export type AckErrorId = keyof typeof ACK_ERRORS;

/** Ends a PutMedia session with an Error ack. @internal */
export class AckError extends Error {
  override readonly name: string = 'AckError';
  readonly id: AckErrorId;

  constructor(id: AckErrorId, message: string, options?: ErrorOptions) {
    super(message, options);
    this.id = id;
  }
}
