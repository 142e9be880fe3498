using System.Runtime.InteropServices;

namespace EgressAppliance.Decision.Planner;

/// <summary>Lists of a snapshot as spans: a call through an interface for each of some hundred thousand elements is what most of a plan's time would go into.</summary>
internal static class ListSpan
{
    /// <summary>The list itself if <see cref="Of"/> need not copy it, otherwise a copy.</summary>
    public static IReadOnlyList<T> Held<T>(IReadOnlyList<T> list) => list is T[] or List<T> ? list : [.. list];

    /// <summary>The elements; copied only if the list is neither an array nor a <see cref="List{T}"/>. Whoever changes the list meanwhile breaks the span.</summary>
    public static ReadOnlySpan<T> Of<T>(IReadOnlyList<T> list) => list switch
    {
        T[] array => array,
        List<T> owned => CollectionsMarshal.AsSpan(owned),
        _ => list.ToArray(),
    };
}
