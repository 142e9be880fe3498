namespace EgressAppliance.Flow;

/// <summary>How a datagram, or a part of one, ended. <see cref="FlowStatistics"/> counts each.</summary>
public enum FlowStatus
{
    /// <summary>Read to its end, with nothing refused.</summary>
    Decoded,

    /// <summary>The bytes end inside a header, a set, a record or a sample.</summary>
    Truncated,

    /// <summary>The version is none of NetFlow 5, NetFlow 9, IPFIX (10) and sFlow 5.</summary>
    UnsupportedVersion,

    /// <summary>A length or count contradicts the bytes that are there.</summary>
    BadLength,

    /// <summary>A data set came before its template, or after the template expired or was withdrawn.</summary>
    TemplateUnknown,

    /// <summary>A template has a reserved id, a scope that it cannot have, or records of no bytes.</summary>
    BadTemplate,

    /// <summary>A template has more fields than <see cref="FlowDecoderOptions.MaxFieldsPerTemplate"/>.</summary>
    TemplateTooLarge,

    /// <summary>There is no room for another template.</summary>
    TemplateCacheFull,

    /// <summary>A set id that is reserved (RFC 7011 section 3.3.2).</summary>
    ReservedSet,

    /// <summary>A record or sample without an IP destination address.</summary>
    NoDestination,

    /// <summary>An sFlow sample of a format that is not read. Skipped.</summary>
    UnsupportedSample,
}

/// <summary>The names of <see cref="FlowStatus"/> values in metrics and output.</summary>
public static class FlowStatusNames
{
    private static readonly string[] Names = [.. Enum.GetNames<FlowStatus>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    /// <summary>The value in snake_case: <c>template_unknown</c>.</summary>
    public static string ToReason(this FlowStatus status) => Names[(int)status];
}
