namespace EgressAppliance.Snmp;

/// <summary>
/// A PDU of RFC 3416 section 3, independent of the message version around it. The two numbers behind the request-id mean
/// error-status and error-index, or non-repeaters and max-repetitions in a GetBulk.
/// </summary>
public sealed record SnmpPdu
{
    /// <summary>Kind.</summary>
    public required PduType Type { get; init; }

    /// <summary>Matches a response to its request.</summary>
    public required int RequestId { get; init; }

    /// <summary>error-status. Values beyond those defined are kept as they came.</summary>
    public SnmpErrorStatus ErrorStatus { get; init; }

    /// <summary>error-index: the binding at fault counted from 1; 0 for none.</summary>
    public int ErrorIndex { get; init; }

    /// <summary>non-repeaters of a GetBulk. May be negative on the wire; it then counts as 0.</summary>
    public int NonRepeaters => (int)ErrorStatus;

    /// <summary>max-repetitions of a GetBulk. May be negative on the wire; it then counts as 0.</summary>
    public int MaxRepetitions => ErrorIndex;

    /// <summary>The bindings.</summary>
    public IReadOnlyList<VarBind> Bindings { get; init; } = [];

    /// <summary>Makes a Get, GetNext or other request without further numbers.</summary>
    public static SnmpPdu Request(PduType type, int requestId, IEnumerable<ObjectIdentifier> names) =>
        new() { Type = type, RequestId = requestId, Bindings = [.. names.Select(name => new VarBind(name, SnmpValue.Null))] };

    /// <summary>Makes a GetBulk.</summary>
    public static SnmpPdu Bulk(int requestId, int nonRepeaters, int maxRepetitions, IEnumerable<ObjectIdentifier> names) =>
        Request(PduType.GetBulk, requestId, names) with { ErrorStatus = (SnmpErrorStatus)nonRepeaters, ErrorIndex = maxRepetitions };

    /// <summary>Makes a Response.</summary>
    public static SnmpPdu Response(int requestId, IReadOnlyList<VarBind> bindings, SnmpErrorStatus status = SnmpErrorStatus.NoError, int errorIndex = 0) =>
        new() { Type = PduType.Response, RequestId = requestId, Bindings = bindings, ErrorStatus = status, ErrorIndex = errorIndex };
}
