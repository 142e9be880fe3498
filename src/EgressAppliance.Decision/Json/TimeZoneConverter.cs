using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgressAppliance.Decision.Json;

/// <summary>A time zone as its IANA name, as in <c>Europe/Berlin</c>.</summary>
public sealed class TimeZoneConverter : JsonConverter<TimeZoneInfo>
{
    /// <inheritdoc/>
    public override TimeZoneInfo Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? id = reader.GetString();
        return id is not null && TimeZoneInfo.TryFindSystemTimeZoneById(id, out TimeZoneInfo? zone) ? zone : throw new JsonException($"no time zone '{id}' on this machine");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeZoneInfo value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStringValue(value.Id);
    }
}
