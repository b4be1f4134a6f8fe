"""Routes: in which order the stops of a tour are visited, and the walk between them."""

from wms.optimise.routing.graph import plan_graph_route
from wms.optimise.routing.plan import plan_route, plan_routes
from wms.optimise.routing.route import Limits, Route, Rules
from wms.optimise.routing.simple import largest_gap_length_mm, nearest_next_length_mm, s_shape_length_mm

__all__ = [
    "Limits",
    "Route",
    "Rules",
    "largest_gap_length_mm",
    "nearest_next_length_mm",
    "plan_graph_route",
    "plan_route",
    "plan_routes",
    "s_shape_length_mm",
]
