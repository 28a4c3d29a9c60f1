import { CHAIN_FAULTS } from './faults-chain.ts'
import { DOCUMENT_FAULTS } from './faults-documents.ts'
import { LEVEL_FAULTS } from './faults-levels.ts'
import { LIST_FAULTS } from './faults-lists.ts'
import { QE_FAULTS } from './faults-qe.ts'
import { QUOTE_FAULTS } from './faults-quote.ts'
import { SGX_EXTENSION_FAULTS } from './faults-sgx-extension.ts'

/** Every fault that a TDX machine and an SGX machine can have alike. */
export const COMMON_FAULTS = {
  ...QUOTE_FAULTS,
  ...QE_FAULTS,
  ...CHAIN_FAULTS,
  ...SGX_EXTENSION_FAULTS,
  ...LIST_FAULTS,
  ...DOCUMENT_FAULTS,
  ...LEVEL_FAULTS,
} as const
