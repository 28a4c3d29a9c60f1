import { createHash } from 'node:crypto'
import type { CollateralFile } from '../attestation/collateral.ts'
import { fromBase64, fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, parseJson } from '../core/json.ts'
import { LIMITS } from '../core/limits.ts'
import { attempt, take } from '../core/outcome.ts'
import { type Ask, type Body, checked, refuseForm, refuseOther } from './ask.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest } from './objects.ts'

type RimRequest = Extract<CollateralRequest, { kind: 'nvidia-rim' }>

/** Ids of manifests: what a report's fields may add up to, and nothing that means something in an address. */
export const RIM_ID = /^NV_[A-Z]+(?:_[0-9A-Za-z.]{1,48}){1,8}$/
const MOST_ID_CHARACTERS = 128

/**
 * NVIDIA's manifest service: one manifest by its id, as XML in base64 inside JSON.
 * @see ../shared/spec/nvidia-gpu.md §4
 */
export function askRim(request: RimRequest): Ask {
  const id = checked(request.id, RIM_ID, 'id of a manifest')
  if (id.length > MOST_ID_CHARACTERS) throw new TypeError('an id of a manifest has at most 128 characters')
  return {
    service: 'nvidia-rim',
    method: 'GET',
    path: `/v1/rim/${id}`,
    contentTypes: ['application/json'],
    // XML in base64, and a few members beside it.
    maxBytes: Math.ceil((LIMITS.xmlBytes * 4) / 3) + 4096,
    absence: absenceOf(id),
    read: (body) => attempt(() => [readRim(request, body)]),
  }
}

function absenceOf(id: string): string {
  const part = id.startsWith('NV_GPU_VBIOS_') ? 'VBIOS' : id.startsWith('NV_SWITCH_BIOS_') ? 'switch BIOS' : 'driver'
  return `NVIDIA publishes no manifest for this ${part}`
}

function readRim(request: RimRequest, { bytes }: Body): CollateralFile {
  const object = objectName(request)
  const parsed = attempt(() => take(parseJson(take(fromUtf8(bytes, object)), object)))
  const answer = parsed.ok && isJsonObject(parsed.value) ? parsed.value : refuseForm(object, 'JSON', 'something else')
  const { id, rim, sha256 } = answer
  if (typeof id !== 'string' || typeof rim !== 'string') return refuseForm(object, 'id and rim as texts', 'others')
  if (id !== request.id) refuseOther(object, request.id, id)
  // Line breaks are no part of the value; some encoders put them in.
  const xml = fromBase64(rim.replace(/[\r\n]/g, ''), object)
  if (!xml.ok) return refuseForm(object, 'a manifest in base64', xml.faults[0].code)
  const actual = createHash('sha256').update(xml.value).digest('hex')
  if (typeof sha256 === 'string' && sha256.toLowerCase() !== actual)
    refuseOther(object, `sha256 ${sha256}`, `sha256 ${actual}`)
  if (xml.value[0] !== 0x3c && xml.value[0] !== 0xef) refuseForm(object, 'XML', 'something else')
  return { name: `${object.replace('/', '-')}.xml`, bytes: xml.value }
}
