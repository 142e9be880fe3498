using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Reads a record so that a member that is absent has the record's own default, and not zero: a file of an earlier version, which lacks what came
/// later, is read as it was meant. Generated serializers set every member of a record, and absent ones to zero.
/// </summary>
internal static class JournalMembers
{
    /// <param name="given">The object of the file.</param>
    /// <param name="type">Its type.</param>
    /// <param name="defaults">The record with its defaults; the members it must be given have any value.</param>
    /// <exception cref="JsonException">A member is unknown or missing or of the wrong type.</exception>
    public static T Read<T>(JsonElement given, JsonTypeInfo<T> type, T defaults)
        where T : class
    {
        if (given.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException($"{given.ValueKind} where an object is expected");
        }

        foreach (JsonPropertyInfo property in type.Properties)
        {
            if (property.IsRequired && !given.TryGetProperty(property.Name, out _))
            {
                throw new JsonException($"'{property.Name}' is missing");
            }
        }

        JsonObject all = JsonSerializer.SerializeToNode(defaults, type)!.AsObject();
        Overlay(all, given);
        return all.Deserialize(type) ?? throw new JsonException("null where an object is expected");
    }

    private static void Overlay(JsonObject all, JsonElement given)
    {
        foreach (JsonProperty property in given.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Object && all[property.Name] is JsonObject inner)
            {
                Overlay(inner, property.Value);
            }
            else
            {
                all[property.Name] = property.Value.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.Object => JsonObject.Create(property.Value),
                    JsonValueKind.Array => JsonArray.Create(property.Value),
                    _ => JsonValue.Create(property.Value),
                };
            }
        }
    }
}
