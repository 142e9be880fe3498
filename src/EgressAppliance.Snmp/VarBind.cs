namespace EgressAppliance.Snmp;

/// <summary>A variable binding (RFC 3416 section 3): a name and its value.</summary>
/// <param name="Name">The variable.</param>
/// <param name="Value">Its value, or <see cref="SnmpValue.Null"/> in requests.</param>
public readonly record struct VarBind(ObjectIdentifier Name, SnmpValue Value)
{
    /// <summary>Name and value for people.</summary>
    public override string ToString() => $"{Name} = {Value}";
}
