import { describe, expect, it } from 'vitest'
import {
  componentsAbove,
  componentsBelow,
  decodeTcb,
  differingComponents,
} from '../../../src/attestation/sev-snp/tcb.ts'
import { attempt } from '../../../src/core/outcome.ts'
import { type AmdProduct, tcbVersion } from '../../../src/testing/amd/index.ts'

const genoa = { fmc: undefined, bootloader: 11, tee: 1, snp: 28, microcode: 88 }
const turin = { ...genoa, fmc: 2 }

describe('TCB_VERSION', () => {
  it.each(['Milan', 'Genoa', 'Turin'] as AmdProduct[])('is read back as the test kit writes it for %s', (product) => {
    const fmc = product === 'Turin' ? { fmc: 2 } : {}
    const bytes = tcbVersion(product, { ...fmc, bl: 11, tee: 1, snp: 28, ucode: 88 })
    expect(attempt(() => decodeTcb(bytes, product, 'tcb'))).toEqual({
      ok: true,
      value: product === 'Turin' ? turin : genoa,
    })
  })

  it('is compared by component, never as one number', () => {
    expect(differingComponents(genoa, genoa)).toEqual([])
    expect(differingComponents(genoa, { ...genoa, tee: 2, microcode: 1 })).toEqual(['tee', 'microcode'])
    expect(differingComponents(genoa, turin)).toEqual(['fmc'])
    expect(componentsAbove({ ...genoa, snp: 29 }, { ...genoa, microcode: 255 })).toEqual(['snp'])
    expect(componentsAbove(genoa, genoa)).toEqual([])
  })

  it('is below a minimum in every component that is lower or that the product lacks', () => {
    expect(componentsBelow(genoa, {})).toEqual([])
    expect(componentsBelow(genoa, { bootloader: 11, tee: 1, snp: 28, microcode: 88 })).toEqual([])
    expect(componentsBelow(genoa, { bootloader: 12, snp: 29, microcode: 88 })).toEqual(['bootloader', 'snp'])
    expect(componentsBelow(genoa, { fmc: 0 })).toEqual(['fmc'])
    expect(componentsBelow(turin, { fmc: 2 })).toEqual([])
  })
})
