export { anchorFromCertificate } from '../../src/testing/anchor.ts'
