using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;

namespace EgressAppliance.Host.Http;

/// <summary>Serialization of the API's documents, generated at build time; used by the endpoint and by the command line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatusDto))]
[JsonSerializable(typeof(CaptureDto))]
[JsonSerializable(typeof(IReadOnlyList<BgpPeerDto>))]
[JsonSerializable(typeof(IReadOnlyList<LinkDto>))]
[JsonSerializable(typeof(IReadOnlyList<PrefixDto>))]
[JsonSerializable(typeof(IReadOnlyList<OverrideDto>))]
[JsonSerializable(typeof(IReadOnlyList<DecisionDto>))]
[JsonSerializable(typeof(ExplainDto))]
[JsonSerializable(typeof(RibDto))]
[JsonSerializable(typeof(ModeDto))]
[JsonSerializable(typeof(OverrideRequestDto))]
[JsonSerializable(typeof(WithdrawAllDto))]
[JsonSerializable(typeof(CostDto))]
[JsonSerializable(typeof(MatrixDto))]
[JsonSerializable(typeof(ConfigDto))]
[JsonSerializable(typeof(ConfigCheckDto))]
[JsonSerializable(typeof(IReadOnlyList<AuditEntryDto>))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(HistoryLinksDto))]
[JsonSerializable(typeof(HistoryPrefixesDto))]
[JsonSerializable(typeof(HistoryEventsDto))]
[JsonSerializable(typeof(IReadOnlyList<HistoryMonthDto>))]
[JsonSerializable(typeof(HistoryStatusDto))]
[JsonSerializable(typeof(ClusterDto))]
[JsonSerializable(typeof(StateEventDto))]
public sealed partial class ApiJson : JsonSerializerContext;
