/** Types of the answers, from the server's own OpenAPI document. */

import type { components } from './schema';

type Schemas = components['schemas'];

export type SeriesAxis = Schemas['SeriesAxis'];
export type Summary = Schemas['Summary'];
export type SummarySeries = Schemas['SummarySeries'];
export type Outcome = Schemas['Outcome'];
export type ServiceList = Schemas['ServiceList'];
export type ServiceSummary = Schemas['ServiceSummary'];
export type ServiceDetail = Schemas['ServiceDetail'];
export type SpanTypeTime = Schemas['SpanTypeTime'];
export type EnvironmentList = Schemas['EnvironmentList'];
export type TransactionGroupList = Schemas['TransactionGroupList'];
export type TransactionGroup = Schemas['TransactionGroup'];
export type TransactionDetail = Schemas['TransactionDetail'];
export type LatencyBucket = Schemas['LatencyBucket'];
export type TraceSample = Schemas['TraceSample'];
export type TraceSampleList = Schemas['TraceSampleList'];
export type TraceList = Schemas['TraceList'];
export type TraceSummary = Schemas['TraceSummary'];
export type TraceSkeleton = Schemas['TraceSkeleton'];
export type TraceItem = Schemas['TraceItem'];
export type TraceError = Schemas['TraceError'];
export type DependencyList = Schemas['DependencyList'];
export type DependencySummary = Schemas['DependencySummary'];
export type DependencyDetail = Schemas['DependencyDetail'];
export type DependencyGroup = Schemas['DependencyGroup'];
export type ErrorGroupList = Schemas['ErrorGroupList'];
export type ErrorGroup = Schemas['ErrorGroup'];
export type ErrorGroupDetail = Schemas['ErrorGroupDetail'];
export type ErrorOccurrence = Schemas['ErrorOccurrence'];
export type Status = Schemas['Status'];
export type Problem = Schemas['Problem'];
