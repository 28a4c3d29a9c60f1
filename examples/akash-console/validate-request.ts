/** Body of `POST /v1/confidential-compute/attestation/validate`, as Console's clients send it. */
export interface ValidateRequest {
  readonly nonce: string
  readonly report: string
  readonly tee_platform: 'snp' | 'tdx' | 'snp-gpu' | 'tdx-gpu'
  readonly cert_chain: string
  readonly auxblob: string
  readonly gpu_reports: readonly { readonly device_index: number; readonly report: string }[]
}

const PLATFORMS: readonly string[] = ['snp', 'tdx', 'snp-gpu', 'tdx-gpu'] satisfies ValidateRequest['tee_platform'][]

/** The request, with its defaults filled in; undefined where the body is none. Evidence is not looked into here. */
export function readValidateRequest(text: string): ValidateRequest | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(body)) return undefined
  const { nonce, report, tee_platform, cert_chain = '', auxblob = '', gpu_reports = [] } = body
  const reports = Array.isArray(gpu_reports) ? gpu_reports.map(gpuReport) : [undefined]
  const isRequest =
    [nonce, report, cert_chain, auxblob].every((member) => typeof member === 'string') &&
    typeof tee_platform === 'string' &&
    PLATFORMS.includes(tee_platform) &&
    !reports.includes(undefined)
  return isRequest
    ? ({ nonce, report, tee_platform, cert_chain, auxblob, gpu_reports: reports } as ValidateRequest)
    : undefined
}

function gpuReport(value: unknown): ValidateRequest['gpu_reports'][number] | undefined {
  if (!isObject(value)) return undefined
  const { device_index, report } = value
  const isIndex = typeof device_index === 'number' && Number.isSafeInteger(device_index) && device_index >= 0
  return isIndex && typeof report === 'string' ? { device_index, report } : undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
