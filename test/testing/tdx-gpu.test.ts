import { describe, expect, it } from 'vitest'
import { readAkashQuote } from '../../src/attestation/envelopes/akash.ts'
import { readBundle } from '../../src/attestation/envelopes/bundle.ts'
import { toHex } from '../../src/core/encodings.ts'
import { take } from '../../src/core/outcome.ts'
import { type TdxGpuOptions, tdxGpuMachine } from '../../src/testing/tdx-gpu.ts'
import { holdsOf } from './intel-walk.ts'
import { linked, pemCertificates, signedBy, walkReport } from './nvidia-walk.ts'

const board: TdxGpuOptions = {
  tdx: { version: 5 },
  gpus: {
    architecture: 'hopper',
    gpuCount: 8,
    switchCount: 4,
    driverVersion: '580.159.03',
    vbiosVersion: '96.00.74.00.20',
    featureFlag: 'ppcie',
  },
}

describe('a TDX machine with eight GPUs', () => {
  const machine = tdxGpuMachine('tdx board', board)
  const nonce = toHex((machine.cpu.expected.reportData ?? new Uint8Array()).subarray(0, 32))

  it('is in order, quote, GPUs and switches', () => {
    expect(Object.entries(holdsOf(machine.cpu)).filter(([, holds]) => !holds)).toEqual([])
    const devices = [...machine.devices.gpus, ...machine.devices.switches]
    expect(devices).toHaveLength(12)
    for (const { report, chainPem } of devices) {
      const chain = pemCertificates(chainPem)
      expect(linked(chain)).toBe(true)
      expect(chain[0] && signedBy(report, chain[0].publicKey)).toBe(true)
      expect(walkReport(report).nonce).toBe(nonce)
    }
  })

  it('travels in Akash’s quote response, without its switches', () => {
    const { items, platformLabel } = take(readAkashQuote(machine.akash))
    expect(platformLabel).toBe('tdx-gpu')
    expect(items.map(({ kind }) => kind)).toEqual(['intel/tdx-quote', ...Array(8).fill('nvidia/gpu-report')])
    expect(items[0].bytes).toEqual(machine.cpu.quote)
    expect(items.slice(1).map(({ bytes }) => bytes)).toEqual(machine.devices.gpus.map(({ report }) => report))
  })

  it('travels in a bundle, with them', () => {
    const { items, binding } = take(readBundle(machine.bundle))
    expect(binding).toBe('raw')
    expect(items.map(({ id }) => id)).toEqual([
      'cpu',
      ...Array.from({ length: 8 }, (_, i) => `gpu-${i}`),
      ...Array.from({ length: 4 }, (_, i) => `switch-${i}`),
    ])
    expect(items.map(({ bytes }) => bytes)).toEqual([
      machine.cpu.quote,
      ...[...machine.devices.gpus, ...machine.devices.switches].map(({ report }) => report),
    ])
  })

  it('is the same every time', () => {
    expect(tdxGpuMachine('tdx board', board).bundle).toEqual(machine.bundle)
  })

  it('answers what was asked for in either half when the other is wrong', () => {
    const reportData = Uint8Array.from({ length: 64 }, (_, i) => i)
    const asked = {
      ...board,
      tdx: { td: { reportData } },
      gpus: { ...board.gpus, gpuCount: 1, switchCount: 0, featureFlag: 'spt' },
    } as const
    const half = toHex(reportData.subarray(0, 32))
    const nonceOf = (options: TdxGpuOptions) => {
      const [gpu] = tdxGpuMachine('halves', options).devices.gpus
      return gpu && walkReport(gpu.report).nonce
    }
    expect(nonceOf(asked)).toBe(half)
    expect(nonceOf({ ...asked, tdx: { ...asked.tdx, wrong: 'report-data-other' } })).toBe(half)
    const nonce = new Uint8Array(32).fill(1)
    expect(nonceOf({ ...asked, gpus: { ...asked.gpus, nonce } })).toBe(toHex(nonce))
  })
})
