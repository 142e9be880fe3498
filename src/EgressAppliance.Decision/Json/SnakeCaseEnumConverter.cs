using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgressAppliance.Decision.Json;

/// <summary>Reads and writes an enum as snake_case text; numbers are refused.</summary>
/// <typeparam name="T">The enum.</typeparam>
public sealed class SnakeCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
