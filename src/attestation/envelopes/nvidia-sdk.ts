import { isJsonObject, type Json, pointer } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, type NonEmpty, type Outcome, refuse } from '../../core/outcome.ts'
import type { EvidenceItem, EvidenceSet } from '../evidence.ts'
import { Members } from './members.ts'

const isDevice = (value: Json | undefined): boolean =>
  isJsonObject(value) && Object.hasOwn(value, 'evidence') && Object.hasOwn(value, 'certificate')

/** NVIDIA's serialized evidence (an array, or one device), an NRAS request, or CoCo's device list. */
export const isNvidiaEvidence = (value: Json): boolean =>
  isDevice(value) || (Array.isArray(value) && isDevice(value[0])) || deviceList(value) !== undefined

function deviceList(value: Json): { list: Json; path: string } | undefined {
  if (!isJsonObject(value)) return undefined
  for (const name of ['evidence_list', 'device_evidence_list']) {
    const list = value[name]
    if (Array.isArray(list)) return { list, path: pointer('', name) }
  }
  return undefined
}

/**
 * NVIDIA SDK evidence JSON: `{arch, nonce, evidence, certificate, …}` or an array of them, and the same inside an NRAS
 * request or CoCo evidence. The nonce written in it is never an expectation; `arch` is compared with the certificates.
 * @returns the set, or JSON_* · ENV_* · LIMIT_* · ENV_NOTHING_TO_JUDGE
 * @see ../shared/spec/nvidia-gpu.md §10
 */
export function readNvidiaEvidence(value: Json): Outcome<EvidenceSet> {
  return attempt(() => {
    const wrapped = deviceList(value)
    const list = wrapped?.list ?? (Array.isArray(value) ? value : [value])
    const base = wrapped?.path ?? ''
    const values = list as readonly Json[]
    if (values.length > LIMITS.itemCount)
      refuse('LIMIT_GPU_COUNT', base, { expected: `at most ${LIMITS.itemCount}`, actual: values.length })
    const counts = { gpu: 0, switch: 0 }
    const items = values.map((device, i): EvidenceItem => {
      const path = Array.isArray(value) || wrapped !== undefined ? pointer(base, i) : base
      const members = new Members(device, path)
      const architectureLabel = members.optionalText('arch')
      const bytes = members.evidence('evidence')
      const certificate = members.evidence('certificate')
      for (const informational of ['nonce', 'version', 'driver_version', 'vbios_version', 'uuid', 'index'])
        members.optional(informational)
      members.end()
      const device_ = architectureLabel === 'LS10' ? 'switch' : 'gpu'
      return {
        id: `${device_}-${counts[device_]++}`,
        kind: device_ === 'switch' ? 'nvidia/switch-report' : 'nvidia/gpu-report',
        bytes,
        endorsements: [certificate],
        ...(architectureLabel === undefined ? {} : { architectureLabel }),
      }
    })
    if (counts.gpu > LIMITS.gpuCount)
      refuse('LIMIT_GPU_COUNT', base, { expected: `at most ${LIMITS.gpuCount}`, actual: counts.gpu })
    const [first, ...rest] = items
    if (first === undefined) return refuse('ENV_NOTHING_TO_JUDGE', base)
    const all: NonEmpty<EvidenceItem> = [first, ...rest]
    return { carrier: 'nvidia/sdk', items: all, binding: 'raw' }
  })
}
